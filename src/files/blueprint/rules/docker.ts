import { posix } from 'node:path';
import type { Repository } from '../../repository';
import { type Blueprint, isAutodeployOff, perService, type Rule, type Service } from '../blueprint';
import { error, type Problem, quote, warning } from '../value';

/** Traps of services that Render builds from a Dockerfile. */
export const dockerRules: readonly Rule[] = [
  perService(outsideRoot),
  perService(dockerfile),
  buildFilters,
  blueprintFolder,
];

function* outsideRoot({ at, rootDir }: Service): Generator<Problem> {
  for (const key of ['dockerContext', 'dockerfilePath', 'rootDir']) {
    const path = at.text(key);
    if (path === undefined || !posix.normalize(path).startsWith('..')) continue;
    yield error(at.place(key), 'OUTSIDE_ROOT', {
      message:
        rootDir !== '' && key !== 'rootDir'
          ? `${key} leads out of rootDir, and Render has nothing outside of it`
          : `${key} leads out of the repository`,
      fix:
        key === 'rootDir'
          ? 'write a path inside the repository'
          : `remove rootDir, and write ${key} from the top of the repository`,
    });
  }
}

/** The text of the Dockerfile that builds a service; undefined for none in this repository. */
export function dockerfileOf(
  { at, rootDir, runtime }: Service,
  repository: Repository,
): string | undefined {
  if (runtime !== 'docker' || at.has('repo') || repository.blueprint === '') return undefined;
  const path = at.text('dockerfilePath') ?? 'Dockerfile';
  return repository.text(posix.join(rootDir, path)) ?? repository.text(posix.normalize(path));
}

function* dockerfile(service: Service, repository: Repository): Generator<Problem> {
  const { at, runtime } = service;
  const path = at.text('dockerfilePath') ?? 'Dockerfile';
  if (runtime !== 'docker' || at.has('repo') || repository.blueprint === '') return;
  if (dockerfileOf(service, repository) === undefined && !posix.normalize(path).startsWith('..'))
    yield error(at.place('dockerfilePath'), 'DOCKERFILE_MISSING', {
      message: `the repository has no ${quote(path)}`,
      fix: 'correct dockerfilePath, a path from the top of the repository',
    });
}

/** Several images of one repository: without a filter each push builds and deploys them all. */
function* buildFilters({ services }: Blueprint): Generator<Problem> {
  const images = services.filter(({ at, runtime }) => runtime === 'docker' && !at.has('repo'));
  const files = new Set(
    images.map(
      ({ at, rootDir }) => `${rootDir}:${posix.normalize(at.text('dockerfilePath') ?? '')}`,
    ),
  );
  if (files.size < 2) return;
  for (const service of images)
    if (service.rootDir === '' && !service.at.has('buildFilter') && !isAutodeployOff(service))
      yield warning(service.at, 'BUILD_FILTER_MISSING', {
        message: 'each push builds and deploys it, whatever the push changed',
        fix: 'add buildFilter: with paths: of its own folder and of the folders that it shares',
      });
}

/** Render looks at the top of the repository unless it is told another path. */
function* blueprintFolder(blueprint: Blueprint, repository: Repository): Generator<Problem> {
  const [first] = [...blueprint.services, ...blueprint.databases];
  if (!first || !/\/render\.ya?ml$/.test(repository.blueprint)) return;
  if (repository.text('render.yaml') !== undefined) return;
  yield warning({ line: 1, column: 1, path: '' }, 'FILE_NOT_AT_TOP', {
    message: 'Render looks for render.yaml at the top of the repository',
    fix: 'move the file there, and name the folder with rootDir',
  });
}
