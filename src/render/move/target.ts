import { BootlaceError, NotFoundError, UsageError } from '../../errors';
import { type Deploy, wasLive } from '../api/model';
import { sameVersion } from '../proof/address';
import type { Session } from '../session';
import { type Plan, sourceRequest, type Target } from './plan';
import type { ServiceState } from './state';

/**
 * Chooses where to go back to. A pinned service: the version asked for, the one that an interrupted
 * rollback was on its way to, else the last proven one that is not the current. Any other: the newest
 * deploy that was live before the current commit or image came, so that a second rollback goes further
 * back and never to what was just left. Pure.
 * @param asked by `--to`: an exact version, or a deploy's id
 * @throws NotFoundError NO_PROVEN_VERSION; UsageError TO_INVALID
 */
export function pickTarget(
  session: Pick<Session, 'line'>,
  state: ServiceState,
  asked: string | undefined,
): Target {
  const { record, deploys, live, known, isPinned } = state;
  if (!isPinned) {
    const deploy = pickDeploy(session, state, asked);
    const request = sourceRequest(state, deploy);
    return { version: undefined, pin: undefined, deploy, request };
  }
  const version = pickVersion(session, state, asked);
  const proven = record.proven.filter(item => item.version === version).map(item => item.deploy);
  // An interrupted rollback may have come this far by itself.
  const deploy =
    known?.version === version
      ? live
      : deploys.find(item => proven.includes(item.id) && wasLive(item));
  return { version, pin: version, deploy, request: {} };
}

function pickVersion(
  session: Pick<Session, 'line'>,
  state: ServiceState,
  asked: string | undefined,
): string {
  const { service, record, pin = '', leftOver, known } = state;
  if (asked?.startsWith('dep-')) {
    const version = record.proven.find(({ deploy }) => deploy === asked)?.version;
    if (version !== undefined) return version;
    throw new UsageError('TO_INVALID', `nothing says which version ${asked} is`, {
      fix: `pass a version: ${session.line('rollback', { services: [service.name], version: '1.2.3' })}`,
    });
  }
  const interrupted = leftOver?.isRollback ? leftOver.to : undefined;
  const current = known?.version ?? pin;
  const last = record.proven.find(
    ({ version, left }) => !left && !sameVersion(version, current),
  )?.version;
  const version = asked ?? interrupted ?? last;
  if (version !== undefined) return version;
  throw nothingProven(session, state, 'has no version that was proven before the current one');
}

function pickDeploy(
  session: Pick<Session, 'line'>,
  state: ServiceState,
  asked: string | undefined,
): Deploy {
  const { service, deploys, live } = state;
  if (asked !== undefined && !asked.startsWith('dep-'))
    throw new UsageError('TO_INVALID', `${service.name} is not pinned by a variable`, {
      fix: "pass a deploy's id, --to dep-…, or leave --to out for the one before",
    });
  const found =
    asked === undefined ? beforeCurrent(deploys, live) : deploys.find(({ id }) => id === asked);
  if (found) return found;
  throw nothingProven(session, state, 'has no earlier deploy to go back to');
}

/** The newest that was live before the first deploy of what is live now. */
function beforeCurrent(deploys: readonly Deploy[], live: Deploy | undefined): Deploy | undefined {
  const served = deploys.filter(wasLive);
  const sourceOf = ({ source, id }: Deploy) => source ?? id;
  const first = served.findLastIndex(deploy => live && sourceOf(deploy) === sourceOf(live));
  return served[first + 1];
}

/**
 * The next deploy installs what the pin says, so it must be in the registry. With an artifact at
 * hand nothing that the registry says or does not say stops the way back: warn and go on.
 * @returns the package's name, where it is known
 * @throws without an artifact, whatever keeps from asking; NotFoundError VERSION_NOT_FOUND
 */
export async function checkPublished(
  session: Session,
  {
    state: { service, record, known },
    target: { version = '', deploy },
  }: Pick<Plan, 'state' | 'target'>,
): Promise<string | undefined> {
  const servicePackage = await session.client.variable(service.id, 'BACKEND_PACKAGE');
  try {
    return (await session.resolve(servicePackage, version)).package;
  } catch (error) {
    if (session.signal.aborted || !(error instanceof BootlaceError)) throw error;
    if (deploy) {
      session.warn(
        `${service.name}: ${version} could not be looked up: ${error.message}; Render's artifact of it is used`,
      );
      return servicePackage?.trim() || undefined;
    }
    if (error.code !== 'VERSION_NOT_FOUND') throw error;
    const at = record.proven.findIndex(proven => proven.version === version);
    const others = record.proven.slice(at + 1).filter(one => one.version !== known?.version);
    const older = others.find(({ left }) => !left)?.version ?? '1.2.3';
    throw new NotFoundError(error.code, error.message, {
      fix: `publish ${version} again, or name another: ${session.line('rollback', { services: [service.name], version: older })}`,
      facts: error.facts,
      cause: error,
    });
  }
}

/** @param what why there is nowhere to go back to */
export function nothingProven(
  { line }: Pick<Session, 'line'>,
  { service: { name }, isPinned }: ServiceState,
  what: string,
): NotFoundError {
  const version = isPinned ? '1.2.3' : 'dep-ID';
  return new NotFoundError('NO_PROVEN_VERSION', `${name} ${what}`, {
    fix: `see its deploys: ${line('releases', { services: [name] })}; then for example: ${line('rollback', { services: [name], version })}`,
  });
}
