import type { BackendFacts } from './backend-facts';
import { serviceName } from './names';
import type { InitOptions } from './options';
import { joined, paragraph, paragraphs, withoutLines } from './template';
import { asked, entry, isDatabase, isKeyValue, sourceOf, value } from './variables';

export type Environment = 'smokebox' | 'prod';

interface Service {
  role: string;
  type: 'web' | 'worker' | 'cron';
  name: string;
}

/** The services of an environment; the first is the one that Render asks for values. */
export function servicesOf(facts: BackendFacts, environment: Environment): Service[] {
  const { schedules } = facts;
  const roles = facts.roles.length ? facts.roles : ['web'];
  const typeOf = (role: string) =>
    Object.hasOwn(schedules, role) ? 'cron' : role === 'web' ? 'web' : 'worker';
  const order = ['web', 'worker', 'cron'];
  return roles
    .map(role => ({
      role,
      type: typeOf(role) as Service['type'],
      name: serviceName(`${facts.name}-${environment}${role === 'web' ? '' : `-${role}`}`),
    }))
    .sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}

/**
 * Composes render.yaml from the services of the template. Pure.
 * @param template node/render.yaml with the facts' names in place of the sample's
 * @param serverFile what setup writes
 */
export function nodeBlueprint(
  template: string,
  facts: BackendFacts,
  options: InitOptions,
  serverFile: string,
): string {
  const parts = paragraphs(template);
  const environments = ['smokebox', 'prod'] as const;
  const hasDatabase = facts.requires.some(name => isDatabase(name, options.ask));
  const services = environments.flatMap(environment => {
    const all = servicesOf(facts, environment);
    return [
      paragraph(parts, `  # ${environment}: `),
      ...all.map(service =>
        composed(service, all[0] as Service, parts, { facts, options, serverFile, environment }),
      ),
      ...(facts.requires.some(name => isKeyValue(name, options.ask))
        ? [paragraph(parts, `name: ${facts.name}-${environment}-redis\n    region`)]
        : []),
    ];
  });
  const databases = environments.map(each =>
    paragraph(parts, `- name: ${facts.name}-${each}-db\n`),
  );
  return joined([
    parts[0] as string,
    'services:',
    ...services,
    ...(hasDatabase ? ['databases:', ...databases] : []),
  ]);
}

interface Plan {
  facts: BackendFacts;
  options: InitOptions;
  serverFile: string;
  environment: Environment;
}

function composed(service: Service, first: Service, parts: readonly string[], plan: Plan): string {
  const { facts, serverFile, environment } = plan;
  const sample = { web: '', worker: '-worker', cron: '-nightly' }[service.type];
  const piece = paragraph(parts, `name: ${facts.name}-${environment}${sample}\n    runtime`);
  const isOwnFile = serverFile !== 'server.js';
  const start = ['node', serverFile, ...(service.role === 'web' ? [] : [service.role])].join(' ');
  // Once per deploy of the environment, on the service that is deployed first.
  const migrates = facts.migrates && service === first && service.type !== 'cron';
  const migrate = '    preDeployCommand: npx --yes bootlace@0 migrate\n';
  const lines = withoutLines(piece.slice(0, piece.indexOf('    envVars:')), '    preDeployCommand:')
    .replace(/name: .*/, `name: ${service.name}`)
    .replace('bootlace@0 setup', isOwnFile ? `$& --server-file ${serverFile}` : '$&')
    .replace(/ {4}startCommand: .*/, `${migrates ? migrate : ''}    startCommand: ${start}`)
    .replace(/schedule: .*/, `schedule: '${facts.schedules[service.role]}'`)
    .replace(/healthCheckPath: .*/, `healthCheckPath: ${facts.health}`);
  return `${lines}    envVars:\n${variables(service, first, plan).join('\n')}`;
}

function variables(
  service: Service,
  first: Service,
  { facts, options, environment }: Plan,
): string[] {
  const around = {
    environment: `${facts.name}-${environment}`,
    first,
    // Nothing can be asked of a cron job.
    isFirst: service === first || first.type === 'cron',
    ask: options.ask,
    isNext: facts.isNext,
  };
  return [
    entry('BACKEND_PACKAGE', value(facts.package)),
    // A value here would overwrite the pin with each sync of the Blueprint.
    ...(environment === 'prod' ? [entry('BACKEND_VERSION', asked)] : []),
    ...(facts.registry ? [entry('BACKEND_REGISTRY', value(facts.registry))] : []),
    entry('NPM_TOKEN', sourceOf('NPM_TOKEN', around)),
    entry('NODE_VERSION', value(facts.node)),
    entry('SKIP_INSTALL_DEPS', value('true')),
    // The standalone server listens on HOSTNAME, which a container sets to its own name.
    ...(facts.isNext ? [entry('HOSTNAME', value('0.0.0.0'))] : []),
    ...facts.requires.map(name => entry(name, sourceOf(name, around))),
  ];
}
