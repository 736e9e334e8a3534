import { posix } from 'node:path';
import { isObject } from '../../../json';
import { isServerFile } from '../../../start/server-file';
import type { Repository } from '../../repository';
import {
  allVariables,
  type EnvVar,
  isAutodeployOff,
  perService,
  type Rule,
  type Service,
} from '../blueprint';
import { error, type Problem, quote, warning } from '../value';

/** A service that bootlace sets up and starts, with the variables of its groups. */
interface Launched extends Service {
  build: string;
  find(key: string): EnvVar | undefined;
  /** False where a group that the file does not hold may bring any variable. */
  isComplete: boolean;
}

/** Traps of the services that bootlace sets up and starts. */
export const launchRules: readonly Rule[] = [
  perService(pinValue),
  ...[
    pinMissing,
    packageMissing,
    required,
    installsTwice,
    openNode,
    health,
    autodeploy,
    serverFile,
  ].map(rule =>
    perService(function* (service, repository, blueprint) {
      if (!isLaunched(service)) return;
      const { variables, isComplete } = allVariables(service, blueprint);
      const find = (key: string) => variables.find(variable => variable.key === key);
      const build = service.at.text('buildCommand') ?? '';
      yield* rule({ ...service, build, find, isComplete }, repository);
    }),
  ),
  perService(openNodeVersion),
];

/** `bootlace deploy` sets BACKEND_VERSION on the service; each sync of the Blueprint sets its value back. */
function* pinValue(service: Service): Generator<Problem> {
  for (const { key, value, text = '' } of service.envVars)
    if (key === 'BACKEND_VERSION' && value && (/\d/.test(text) || isProduction(service)))
      yield error(value, 'PIN_HAS_VALUE', {
        message: 'each sync of the Blueprint would set BACKEND_VERSION back to this value',
        fix: 'write sync: false in place of value; npx bootlace deploy sets the version',
      });
}

function* pinMissing(service: Launched): Generator<Problem> {
  const { at, build, find, isComplete } = service;
  if (!isProduction(service) || /\$\{BACKEND_VERSION:?\?/.test(build)) return;
  const pin = find('BACKEND_VERSION');
  if (pin)
    yield warning(at.place('buildCommand'), 'PIN_MISSING', {
      message: 'this production service would install latest while BACKEND_VERSION is unset',
      fix: setsUp.test(build)
        ? 'add after setup in buildCommand: --backend-version "${BACKEND_VERSION:?}"'
        : 'write buildCommand: npx --yes bootlace@0 setup --backend-version "${BACKEND_VERSION:?}"',
    });
  else if (isComplete)
    yield warning(at, 'PIN_MISSING', {
      message: 'this production service has no BACKEND_VERSION, and would install latest',
      fix: 'add to envVars: key: BACKEND_VERSION with sync: false',
    });
}

/** A build command that reads which backend to install. */
const setsUp = /\bbootlace(@\S{1,60})? (setup|up)\b/;

function* packageMissing(service: Launched, repository: Repository): Generator<Problem> {
  const { at, rootDir, build, find, isComplete } = service;
  if (!setsUp.test(build) || /--(package|from)\b|BACKEND_PACKAGE=/.test(build)) return;
  if (!isComplete || find('BACKEND_PACKAGE')) return;
  const { bootlace } = repository.manifest(posix.join(rootDir, 'package.json')) ?? {};
  // The host's settings may stand in a file.
  if (isObject(bootlace) && bootlace.package !== undefined) return;
  if (repository.text(posix.join(rootDir, 'bootlace.json')) !== undefined) return;
  yield warning(at.place('buildCommand'), 'PACKAGE_MISSING', {
    message: 'nothing in the repository names the backend that setup installs',
    fix: 'add to envVars: key: BACKEND_PACKAGE with the package, such as value: "@acme/backend"',
  });
}

function* required(service: Launched, repository: Repository): Generator<Problem> {
  const { at, name, build, find, isComplete } = service;
  const backend = /--package[ =](\S+)/.exec(build)?.[1] ?? find('BACKEND_PACKAGE')?.text;
  // Where the repository holds its source.
  const folder = backend === undefined ? undefined : repository.packageFolder(backend);
  if (folder === undefined || !isComplete) return;
  const { bootlace } = repository.manifest(posix.join(folder, 'package.json')) ?? {};
  const names = isObject(bootlace) && Array.isArray(bootlace.requires) ? bootlace.requires : [];
  // Render sets PORT and NODE_ENV itself.
  const wanted = names.filter(
    each => typeof each === 'string' && /^(?!(PORT|NODE_ENV|RENDER\w*)$)[A-Za-z_]\w*$/.test(each),
  );
  for (const each of wanted.filter(key => !find(key)))
    yield error(at.place('envVars'), 'REQUIRED_MISSING', {
      message: `the backend requires ${each}, and ${name} does not have it`,
      fix: `add to envVars: key: ${each} with sync: false, or its value`,
    });
}

/** https://render.com/docs/environment-variables: Render installs what a package.json names. */
function* installsTwice(service: Launched, repository: Repository): Generator<Problem> {
  const { at, runtime, rootDir, build, find, isComplete } = service;
  if (runtime !== 'node' || !isComplete || !/\bbootlace\b/.test(build)) return;
  if (repository.text(posix.join(rootDir, 'package.json')) === undefined) return;
  const skip = find('SKIP_INSTALL_DEPS');
  if (skip && skip.text !== 'false') return;
  yield warning(skip?.value ?? at.place('envVars'), 'INSTALLS_TWICE', {
    message: 'Render installs the dependencies of the package.json in the repository, too',
    fix: 'add to envVars: key: SKIP_INSTALL_DEPS with value: "true"',
  });
}

function* openNode(service: Launched, repository: Repository): Generator<Problem> {
  const { at, runtime, rootDir, find, isComplete } = service;
  if (runtime !== 'node' || !isComplete || find('NODE_VERSION')) return;
  const read = (name: string) => repository.text(posix.join(rootDir, name))?.trim() || undefined;
  const { engines } = repository.manifest(posix.join(rootDir, 'package.json')) ?? {};
  const declared =
    read('.node-version') ?? read('.nvmrc') ?? (isObject(engines) ? engines.node : undefined);
  if (typeof declared === 'string' && !isOpen(declared)) return;
  yield warning(at.place('envVars'), 'NODE_OPEN', {
    message:
      declared === undefined
        ? "nothing says which Node runs it, and Render's default changes"
        : `the repository asks for Node ${quote(String(declared))}, which has no upper bound`,
    fix: 'add to envVars: key: NODE_VERSION with an exact version as text, or 24.x',
  });
}

/** Any service's, since the file says it itself. */
function* openNodeVersion(service: Service): Generator<Problem> {
  for (const { key, value, text = '' } of service.envVars)
    if (key === 'NODE_VERSION' && value && isOpen(text))
      yield warning(value.value, 'NODE_OPEN', {
        message: `Node ${quote(text)} has no upper bound`,
        fix: 'write an exact version as text, or a major one such as 24.x',
      });
}

function isOpen(range: string): boolean {
  return range
    .slice(0, 100)
    .split('||')
    .some(part => /^\s*v?(>=?\s*[\w.-]+|\*|x|latest|node|current|stable|lts.*)?\s*$/i.test(part));
}

function* health({ at, type }: Service): Generator<Problem> {
  if (type === 'web' && !at.has('healthCheckPath'))
    yield warning(at, 'HEALTH_MISSING', {
      message: 'without a health check path a backend that does not answer goes live',
      fix: 'add healthCheckPath: with the path that the backend answers, such as /health',
    });
}

function* autodeploy(service: Launched): Generator<Problem> {
  const { at, type } = service;
  if (isAutodeployOff(service) || type === 'keyvalue') return;
  const key = at.has('autoDeployTrigger') ? 'autoDeployTrigger' : 'autoDeploy';
  yield warning(at.place(key), 'AUTODEPLOY_ON', {
    message: 'each push deploys, beside what npx bootlace deploy deploys',
    fix: "write autoDeployTrigger: 'off'",
  });
}

function* serverFile(service: Launched, repository: Repository): Generator<Problem> {
  const { at, rootDir, build } = service;
  if (!setsUp.test(build) || /--server-file/.test(build)) return;
  const present = repository.text(posix.join(rootDir, 'server.js'));
  if (present !== undefined && !isServerFile(present))
    yield error(at.place('buildCommand'), 'SERVER_FILE_TAKEN', {
      message: 'the repository has a server.js of its own, which setup does not overwrite',
      fix: 'add --server-file start.js here, and write startCommand: node start.js',
    });
}

/** True for a service that bootlace sets up or starts. */
function isLaunched(service: Service): boolean {
  return (
    ['buildCommand', 'startCommand', 'preDeployCommand', 'dockerCommand'].some(key =>
      /(^|[\s;&|/])bootlace(@\S{1,60})?(\s|$)/.test(service.at.text(key) ?? ''),
    ) || service.envVars.some(({ key }) => key === 'BACKEND_PACKAGE' || key === 'BACKEND_VERSION')
  );
}

/** True for a service that its name, or its environment's, says to be production. */
function isProduction({ name, environment = '' }: Service): boolean {
  const words = `${name} ${environment}`.toLowerCase();
  return /\bprod(uction)?\b/.test(words.replace(/_/g, '-')) && !/\b(pre|non)-?prod/.test(words);
}
