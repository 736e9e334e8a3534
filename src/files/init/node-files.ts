import type { BackendFacts } from './backend-facts';
import { type Environment, nodeBlueprint, servicesOf } from './node-blueprint';
import { publishWorkflow } from './node-workflow';
import type { InitOptions } from './options';
import {
  joined,
  type PlannedFile,
  paragraphs,
  type ReadTemplate,
  replaceParagraph,
  swap,
} from './template';
import { isDatabase, isGenerated, isKeyValue } from './variables';

/**
 * The files of the default recipe. Pure.
 * @param serverFile what setup writes at the top: server.js, unless that is taken
 */
export function nodeFiles(
  facts: BackendFacts,
  options: InitOptions,
  serverFile: string,
  read: ReadTemplate,
): PlannedFile[] {
  const template = (name: string) =>
    swap(read(`node/${name}`), {
      '@acme/backend': facts.package,
      "'@acme'": `'${facts.scope}'`,
      'acme-backend': facts.name,
      'packages/backend': facts.folder || '.',
      '24.22.3': facts.node,
      'node", "server.js': `node", "${serverFile}`,
      'node server.js': `node ${serverFile}`,
    });
  const workflow = (text: string, environment: Environment) => {
    const services = servicesOf(facts, environment).map(({ name }) => name);
    return withRegistry(text.replace(/SERVICES: .*/, `SERVICES: ${services.join(' ')}`), facts);
  };
  const workflows = '.github/workflows';
  const files: PlannedFile[] = [
    {
      path: 'render.yaml',
      text: nodeBlueprint(template('render.yaml'), facts, options, serverFile),
    },
    {
      path: `${workflows}/publish-backend.yml`,
      text: workflow(publishWorkflow(template('publish-backend.yml'), facts), 'smokebox'),
    },
    { path: `${workflows}/deploy.yml`, text: workflow(template('deploy.yml'), 'prod') },
    { path: '.env.example', text: example(template('env.example'), facts, options) },
  ];
  if (!options.docker) return files;
  const setup = serverFile === 'server.js' ? 'setup' : `setup --server-file ${serverFile}`;
  return [
    ...files,
    { path: 'Dockerfile', text: dockerfile(template('Dockerfile'), facts, setup) },
    { path: '.dockerignore', text: template('dockerignore') },
    { path: 'compose.yaml', text: compose(template('compose.yaml'), facts) },
  ];
}

function dockerfile(template: string, { registry }: BackendFacts, setup: string): string {
  const argument = registry ? `ARG BACKEND_REGISTRY=${registry}\n` : '';
  return template
    .replace('RUN --mount', () => `${argument}RUN --mount`)
    .replace('bootlace@0 setup', `bootlace@0 ${setup}`);
}

/** Another registry than GitHub Packages has a token of its own. */
function withRegistry(text: string, { registry, scope }: BackendFacts): string {
  if (!registry) return text;
  return text
    .replaceAll('secrets.GITHUB_TOKEN', 'secrets.NPM_TOKEN')
    .replace(/^ *packages: write\n/m, '')
    .replace(/ {4}permissions:\n {6}packages: read\n/, '    permissions: {}\n')
    .replace('https://npm.pkg.github.com', () => registry)
    .replace(
      /^( *)BACKEND_PACKAGE: .*$/m,
      (line, indent) => `${line}\n${indent}BACKEND_REGISTRY: ${registry}`,
    )
    .replace(/^ *scope: .*\n/m, scope ? '$&' : '');
}

function example(template: string, facts: BackendFacts, { ask }: InitOptions): string {
  const { registry, requires } = facts;
  return replaceParagraph(template, '# Required', required =>
    [
      required.slice(0, required.indexOf('DATABASE_URL=')).trimEnd(),
      ...(registry ? [`BACKEND_REGISTRY=${registry}`] : []),
      ...requires.flatMap(name => [
        ...(isGenerated(name, ask) ? ['# openssl rand -hex 32'] : []),
        `${name}=`,
      ]),
    ].join('\n'),
  );
}

function compose(template: string, facts: BackendFacts): string {
  const database = facts.requires.some(name => isDatabase(name));
  const redis = facts.requires.some(name => isKeyValue(name));
  const valueFor = (name: string) =>
    isDatabase(name)
      ? 'postgres://backend:backend@db:5432/backend'
      : isKeyValue(name)
        ? 'redis://redis:6379'
        : `\${${name}:?}`;
  const gates = [...(database ? ['db'] : []), ...(redis ? ['redis'] : [])].map(
    name => `      ${name}:\n        condition: service_healthy\n`,
  );
  const environment = [
    "      PORT: '10000'",
    ...(facts.isNext ? ["      HOSTNAME: '0.0.0.0'"] : []),
    ...facts.requires.map(name => `      ${name}: ${valueFor(name)}`),
  ];
  const parts = paragraphs(template)
    .filter(part => database || !/^( {2}db|volumes):/.test(part))
    .filter(part => redis || !part.startsWith('  redis:'))
    .map(part =>
      part
        .replace(
          / {4}depends_on:\n( {6}.*\n)*/,
          gates.length ? `    depends_on:\n${gates.join('')}` : '',
        )
        .replace(/( {4}environment:\n) {6}PORT: .*\n( {6}.*\n)*/, `$1${environment.join('\n')}\n`),
    );
  return joined(parts);
}
