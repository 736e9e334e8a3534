import { posix } from 'node:path';
import { isServerFile } from '../../../start/server-file';
import {
  allVariables,
  type EnvVar,
  isAutodeployOff,
  isLaunched,
  isProduction,
  type Service,
} from '../blueprint';
import type { Repository } from '../repository';
import { error, type Problem, quote, textAt, warning } from '../value';
import { perService, placeOf, type Rule } from './rule';

/** Traps of the services that bootlace sets up and starts. */
export const launchRules: readonly Rule[] = [
  perService(pinValue),
  ...[pinMissing, required, installsTwice, openNode, health, autodeploy, serverFile].map(rule =>
    perService(function* (service, blueprint, repository) {
      if (isLaunched(service)) yield* rule(service, allVariables(service, blueprint), repository);
    }),
  ),
  perService(openNodeVersion),
];

interface Variables {
  variables: readonly EnvVar[];
  isComplete: boolean;
}

function find({ variables }: Variables, key: string): EnvVar | undefined {
  return variables.find(variable => variable.key === key);
}

/** `bootlace deploy` sets BACKEND_VERSION on the service; each sync of the Blueprint sets its value back. */
function* pinValue(service: Service): Generator<Problem> {
  for (const { key, value, text = '' } of service.envVars)
    if (key === 'BACKEND_VERSION' && value && (/\d/.test(text) || isProduction(service)))
      yield error(value, 'PIN_HAS_VALUE', {
        message: 'each sync of the Blueprint would set BACKEND_VERSION back to this value',
        fix: 'write sync: false in place of value; npx bootlace deploy sets the version',
      });
}

function* pinMissing(service: Service, variables: Variables): Generator<Problem> {
  if (!isProduction(service)) return;
  const build = textAt(service.at, 'buildCommand') ?? '';
  if (/\$\{BACKEND_VERSION:?\?/.test(build)) return;
  const pin = find(variables, 'BACKEND_VERSION');
  if (!pin && !variables.isComplete) return;
  const command = 'npx bootlace setup --backend-version "${BACKEND_VERSION:?}"';
  yield warning(pin ? placeOf(service.at, 'buildCommand') : service.at, 'PIN_MISSING', {
    message: pin
      ? 'this production service would install latest while BACKEND_VERSION is unset'
      : 'this production service has no BACKEND_VERSION, and would install latest',
    fix: pin
      ? `write buildCommand: ${command}`
      : 'add to envVars: key: BACKEND_VERSION with sync: false',
  });
}

function* required(
  service: Service,
  variables: Variables,
  repository: Repository,
): Generator<Problem> {
  const folder = backendFolder(service, variables, repository);
  if (folder === undefined || !variables.isComplete) return;
  const { bootlace } = repository.manifest(posix.join(folder, 'package.json')) ?? {};
  const names = (bootlace as { requires?: unknown } | undefined)?.requires;
  if (!Array.isArray(names)) return;
  // Render sets PORT and NODE_ENV itself.
  for (const name of names)
    if (
      typeof name === 'string' &&
      /^[A-Za-z_]\w*$/.test(name) &&
      !/^(PORT|NODE_ENV|RENDER\w*)$/.test(name) &&
      !find(variables, name)
    )
      yield error(placeOf(service.at, 'envVars'), 'REQUIRED_MISSING', {
        message: `the backend requires ${name}, and ${service.name} does not have it`,
        fix: `add to envVars: key: ${name} with sync: false, or its value`,
      });
}

/** The backend's folder where the repository holds its source. */
function backendFolder(
  service: Service,
  variables: Variables,
  repository: Repository,
): string | undefined {
  const flag = /--package[ =](\S+)/.exec(textAt(service.at, 'buildCommand') ?? '')?.[1];
  const name = flag ?? find(variables, 'BACKEND_PACKAGE')?.text;
  return name === undefined ? undefined : repository.packageFolder(name);
}

/** https://render.com/docs/environment-variables: Render installs what a package.json names. */
function* installsTwice(
  service: Service,
  variables: Variables,
  repository: Repository,
): Generator<Problem> {
  if (service.runtime !== 'node' || !variables.isComplete) return;
  if (!/\bbootlace\b/.test(textAt(service.at, 'buildCommand') ?? '')) return;
  if (repository.text(posix.join(service.rootDir, 'package.json')) === undefined) return;
  const skip = find(variables, 'SKIP_INSTALL_DEPS');
  if (skip && skip.text !== 'false') return;
  yield warning(skip?.value ?? placeOf(service.at, 'envVars'), 'INSTALLS_TWICE', {
    message: 'Render installs the dependencies of the package.json in the repository, too',
    fix: 'add to envVars: key: SKIP_INSTALL_DEPS with value: "true"',
  });
}

function* openNode(
  service: Service,
  variables: Variables,
  repository: Repository,
): Generator<Problem> {
  if (service.runtime !== 'node' || !variables.isComplete || find(variables, 'NODE_VERSION'))
    return;
  const read = (name: string) =>
    repository.text(posix.join(service.rootDir, name))?.trim() || undefined;
  const engines = repository.manifest(posix.join(service.rootDir, 'package.json'))?.engines as
    | { node?: unknown }
    | undefined;
  const declared = read('.node-version') ?? read('.nvmrc') ?? engines?.node;
  if (typeof declared === 'string' && !isOpen(declared)) return;
  yield warning(placeOf(service.at, 'envVars'), 'NODE_OPEN', {
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
  if (type === 'web' && !at.fields.has('healthCheckPath'))
    yield warning(at, 'HEALTH_MISSING', {
      message: 'without a health check path a backend that does not answer goes live',
      fix: 'add healthCheckPath: with the path that the backend answers, such as /health',
    });
}

function* autodeploy(service: Service): Generator<Problem> {
  if (isAutodeployOff(service) || service.type === 'keyvalue') return;
  yield warning(
    service.at.fields.get('autoDeployTrigger')?.value ??
      service.at.fields.get('autoDeploy') ??
      service.at,
    'AUTODEPLOY_ON',
    {
      message: 'each push deploys, beside what npx bootlace deploy deploys',
      fix: "write autoDeployTrigger: 'off'",
    },
  );
}

function* serverFile(
  service: Service,
  _variables: Variables,
  repository: Repository,
): Generator<Problem> {
  const build = textAt(service.at, 'buildCommand') ?? '';
  if (!/\bbootlace(@\S{1,60})? (setup|up)\b/.test(build) || /--server-file/.test(build)) return;
  const present = repository.text(posix.join(service.rootDir, 'server.js'));
  if (present !== undefined && !isServerFile(present))
    yield error(placeOf(service.at, 'buildCommand'), 'SERVER_FILE_TAKEN', {
      message: 'the repository has a server.js of its own, which setup does not overwrite',
      fix: 'add --server-file bootlace-server.js here, and start: node bootlace-server.js',
    });
}
