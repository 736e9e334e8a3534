import { posix } from 'node:path';
import { NotFoundError } from '../../errors';
import { isPlainPath, type Repository, serviceName } from '../repository';
import { readHead } from './head';
import {
  joined,
  type PlannedFile,
  paragraph,
  paragraphs,
  type ReadTemplate,
  swap,
  withoutLines,
} from './template';
import { readToolchain } from './toolchain';
import { entry, fromService } from './variables';

interface DockerService {
  name: string;
  folder: string;
  /** The folder that the Dockerfile copies from. */
  context: string;
  /** Its Dockerfile is init's to write. */
  needsDockerfile: boolean;
  migrates: boolean;
}

/** What the repository declares about its Docker services. */
interface DockerFacts {
  name: string;
  services: DockerService[];
  sites: { name: string; folder: string; build: string }[];
  /** Folders at the top whose code the services share. */
  shared: string[];
}

/**
 * A service is a folder with a Dockerfile, or with Python requirements for one; a site is a folder
 * with index.html and a build script.
 * @throws NotFoundError INIT_NO_SERVICES
 */
export function readDockerFacts(repository: Repository, name: string): DockerFacts {
  const shared = ['shared', 'common', 'libs'].filter(folder => repository.has(folder));
  const facts: DockerFacts = { name, services: [], sites: [], shared };
  for (const folder of repository.folders(2).slice(1).filter(isPlainPath)) {
    const above = posix.dirname(folder);
    if (shared.includes(folder) || shared.includes(above)) continue;
    if (above !== '.' && kindOf(repository, above)) continue;
    const kind = kindOf(repository, folder);
    const last = serviceName(folder.split('/').at(-1) as string);
    const isTaken = [...facts.services, ...facts.sites].some(each => each.name === last);
    const own = isTaken ? serviceName(folder) : last;
    if (kind === 'site')
      facts.sites.push({ name: own, folder, build: buildOf(repository, folder) });
    if (kind === 'service') facts.services.push(serviceOf(repository, folder, own));
  }
  facts.services.sort((a, b) => (a.name < b.name ? -1 : 1));
  if (facts.services.length > 0) return facts;
  throw new NotFoundError('INIT_NO_SERVICES', 'no folder of this repository has a Dockerfile', {
    fix: 'give each service a folder with a Dockerfile or a requirements.txt, such as services/api',
  });
}

function kindOf(repository: Repository, folder: string): 'service' | 'site' | undefined {
  const has = (file: string) => repository.has(posix.join(folder, file));
  if (has('index.html') && has('package.json')) return 'site';
  return has('Dockerfile') || has('requirements.txt') ? 'service' : undefined;
}

function serviceOf(repository: Repository, folder: string, name: string): DockerService {
  const dockerfile = repository.text(posix.join(folder, 'Dockerfile'));
  const isOurs = dockerfile === undefined || readHead(dockerfile)?.isIntact === true;
  const literal = folder.replace(/[.+]/g, '\\$&');
  const copiesFromTop = new RegExp(`^\\s*(COPY|ADD)\\s(.*\\s)?(\\./)?${literal}(/|\\s)`, 'm');
  return {
    name,
    folder,
    context: isOurs || copiesFromTop.test(dockerfile) ? '.' : folder,
    needsDockerfile: isOurs,
    migrates: repository.has(posix.join(folder, 'alembic.ini')),
  };
}

function buildOf(repository: Repository, folder: string): string {
  const { install, run, folder: at } = readToolchain(repository, folder);
  const script = repository.manifest(posix.join(folder, 'package.json'))?.scripts;
  const build = script ? [`${run} build`] : [];
  const into = `cd ${folder}`;
  return [...(at === '' ? [...install, into] : [into, ...install]), ...build].join(' && ');
}

/** The files of the recipe docker. Pure. */
export function dockerFiles(facts: DockerFacts, read: ReadTemplate): PlannedFile[] {
  const { name, services, sites, shared } = facts;
  const constant = (text: string) => text.toUpperCase().replaceAll('-', '_');
  /** The other services, by the variable of their address in the private network. */
  const neighbours = (own: DockerService) =>
    services
      .filter(service => service !== own)
      .map(service => [`${constant(service.name)}_ADDRESS`, service.name] as const);
  const filtered = (text: string, folder: string) =>
    text.replace(
      /( {6}paths:\n)( {8}- .*\n)+/,
      `$1${[folder, ...shared].map(each => `        - ${each}/**\n`).join('')}`,
    );
  return [
    { path: 'render.yaml', text: blueprint(read('docker/render.yaml')) },
    { path: 'compose.yaml', text: compose(read('docker/compose.yaml')) },
    { path: '.dockerignore', text: read('docker/dockerignore') },
    ...services
      .filter(({ needsDockerfile }) => needsDockerfile)
      .map(({ folder }) => ({
        path: `${folder}/Dockerfile`,
        text: swap(read('docker/Dockerfile'), {
          'services/api': folder,
          'COPY shared ./shared\n': shared.map(each => `COPY ${each} ./${each}\n`).join(''),
        }),
      })),
  ];

  function blueprint(template: string): string {
    const parts = paragraphs(
      swap(template, { 'acme-shared': `${name}-shared`, 'acme-db': `${name}-db` }),
    );
    const service = paragraph(parts, 'name: acme-api\n    runtime');
    const api = service.slice(0, service.indexOf('      - key: ADMIN_ADDRESS')).trimEnd();
    const composed = services.map(each => {
      const text = each.migrates ? api : withoutLines(api, '    preDeployCommand:');
      const addresses = neighbours(each).map(([key, other]) =>
        entry(key, fromService('web', `${name}-${other}`, 'property: hostport')),
      );
      const own = filtered(text, each.folder)
        .replace('name: acme-api', `name: ${name}-${each.name}`)
        .replace('services/api/Dockerfile', `${each.folder}/Dockerfile`)
        .replace('dockerContext: .', `dockerContext: ${each.context}`);
      return [own, ...addresses].join('\n');
    });
    const [site = ''] = paragraph(parts, 'runtime: static').split('      - key: ');
    const addresses = services.map(each => {
      const source = fromService('web', `${name}-${each.name}`, 'envVarKey: RENDER_EXTERNAL_URL');
      return entry(`VITE_${constant(each.name)}_URL`, source);
    });
    const statics = sites.map(each =>
      filtered(site, each.folder)
        .replace('name: acme-web', `name: ${name}-${each.name}`)
        .replace(/buildCommand: .*/, `buildCommand: ${each.build}`)
        .replace(/staticPublishPath: .*/, `staticPublishPath: ${each.folder}/dist`)
        .concat(addresses.join('\n')),
    );
    return joined([
      ...parts.slice(0, parts.indexOf('services:') + 1),
      paragraph(parts, '# The build context'),
      ...composed,
      ...(statics.length ? [paragraph(parts, '# A browser'), ...statics] : []),
      ...parts.slice(parts.indexOf('databases:')),
    ]);
  }

  function compose(template: string): string {
    const parts = paragraphs(template.replace('name: acme', `name: ${name}`));
    const api = withoutLines(paragraph(parts, '  api:\n'), '      ADMIN_ADDRESS:');
    const composed = services.map((each, i) => {
      const dockerfile = each.context === '.' ? `${each.folder}/Dockerfile` : 'Dockerfile';
      const addresses = neighbours(each).map(([key, other]) => `      ${key}: ${other}:8000\n`);
      return api
        .replace('  api:', `  ${each.name}:`)
        .replace('context: .', `context: ${each.context}`)
        .replace('services/api/Dockerfile', dockerfile)
        .replace('    environment:\n', `$&${addresses.join('')}`)
        .replace('8001:8000', `${8000 + i}:8000`);
    });
    return joined([
      ...parts.slice(0, parts.indexOf('services:') + 1),
      ...composed,
      ...parts.slice(parts.findIndex(part => part.startsWith('  db:'))),
    ]);
  }
}
