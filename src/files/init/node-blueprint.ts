import { serviceName } from '../repository';
import type { BackendFacts } from './backend-facts';
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
  const { name, requires } = facts;
  const services = (environment: Environment) =>
    servicesOf(facts, environment).map((service, _, [first = service]) => {
      const lines = fieldsOf(service, service === first, environment);
      return [`${lines}    envVars:`, ...variablesOf(service, first, environment)].join('\n');
    });
  const environments = ['smokebox', 'prod'] as const;
  return joined([
    parts[0] as string,
    'services:',
    ...environments.flatMap(each => [
      paragraph(parts, `  # ${each}: `),
      ...services(each),
      ...(requires.some(key => isKeyValue(key, options.ask))
        ? [paragraph(parts, `name: ${name}-${each}-redis\n    region`)]
        : []),
    ]),
    ...(requires.some(key => isDatabase(key, options.ask))
      ? [
          'databases:',
          ...environments.map(each => paragraph(parts, `- name: ${name}-${each}-db\n`)),
        ]
      : []),
  ]);

  function fieldsOf(
    { role, type, name: own }: Service,
    isFirst: boolean,
    environment: Environment,
  ) {
    const sample = { web: '', worker: '-worker', cron: '-nightly' }[type];
    const piece = paragraph(parts, `name: ${name}-${environment}${sample}\n    runtime`);
    const start = ['node', serverFile, ...(role === 'web' ? [] : [role])].join(' ');
    // Once per deploy of the environment, on the service that is deployed first.
    const migrates = facts.migrates && isFirst && type !== 'cron';
    const migrate = '    preDeployCommand: npx --yes bootlace@0 migrate\n';
    return withoutLines(piece.slice(0, piece.indexOf('    envVars:')), '    preDeployCommand:')
      .replace(/name: .*/, `name: ${own}`)
      .replace(
        'bootlace@0 setup',
        serverFile === 'server.js' ? '$&' : `$& --server-file ${serverFile}`,
      )
      .replace(/ {4}startCommand: .*/, `${migrates ? migrate : ''}    startCommand: ${start}`)
      .replace(/schedule: .*/, `schedule: '${facts.schedules[role]}'`)
      .replace(/healthCheckPath: .*/, `healthCheckPath: ${facts.health}`);
  }

  function variablesOf(service: Service, first: Service, environment: Environment): string[] {
    const around = {
      environment: `${name}-${environment}`,
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
      ...requires.map(key => entry(key, sourceOf(key, around))),
    ];
  }
}
