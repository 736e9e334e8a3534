import { NetworkError, NotFoundError, UsageError } from '../errors';
import { sameVersion } from './expect';
import type { Look } from './look';
import { classOf, type Deploy } from './model';
import type { ResolvedWish } from './resolve-wish';
import type { Session } from './session';

/** Where a rollback leads. */
export interface Target {
  /** undefined for a service that no variable pins. */
  version: string | undefined;
  /** The deploy whose artifact can be used again. */
  deploy: Deploy | undefined;
}

/**
 * Chooses where to go back to: the version asked for, the one that an interrupted rollback was on
 * its way to, else the last proven one that is not the current. Pure.
 * @param current the version that is live, where it is known
 * @throws NotFoundError NO_PROVEN_VERSION; UsageError TO_INVALID
 */
export function pickTarget(
  look: Look,
  asked: string | undefined,
  current: string | undefined,
): Target {
  const { service, record, deploys, live } = look;
  if (!look.isPinned) {
    if (asked !== undefined && !asked.startsWith('dep-'))
      throw new UsageError('TO_INVALID', `${service.name} is not pinned by a variable`, {
        fix: "pass a deploy's id, --to dep-…, or leave --to out for the one before",
      });
    const deploy = deploys.find(({ id, status }) =>
      asked === undefined ? status === 'deactivated' && id !== live?.id : id === asked,
    );
    if (deploy) return { version: undefined, deploy };
    throw nothingProven(look, 'has no earlier deploy to go back to');
  }
  const interrupted = record.pending?.isRollback ? record.pending.to : undefined;
  const version =
    asked ??
    interrupted ??
    record.proven.find(proven => !sameVersion(proven.version, current ?? look.pin ?? ''))?.version;
  if (version === undefined)
    throw nothingProven(look, 'has no version that was proven before the current one');
  // An interrupted rollback may have come this far by itself.
  if (current === version) return { version, deploy: live };
  const proven = record.proven.filter(item => item.version === version).map(item => item.deploy);
  const deploy = deploys.find(
    item => proven.includes(item.id) && ['live', 'superseded'].includes(classOf(item)),
  );
  return { version, deploy };
}

/**
 * The next deploy installs what the pin says, so it must be in the registry. With an artifact at
 * hand a registry that is away stops nothing: it is then that people roll back.
 * @returns the package's name, where it is known
 * @throws NotFoundError VERSION_NOT_FOUND; without an artifact whatever keeps from asking
 */
export async function checkPublished(
  session: Session,
  resolve: (servicePackage: string | undefined, version: string) => Promise<ResolvedWish>,
  { service, record }: Look,
  { version = '', deploy }: Target,
): Promise<string | undefined> {
  const servicePackage = await session.client.variable(service.id, 'BACKEND_PACKAGE');
  try {
    return (await resolve(servicePackage, version)).package;
  } catch (error) {
    if (error instanceof NetworkError && deploy) {
      session.warn(`${service.name}: ${version} could not be looked up: ${error.message}`);
      return servicePackage?.trim() || undefined;
    }
    if (!(error instanceof NotFoundError) || error.code !== 'VERSION_NOT_FOUND') throw error;
    const at = record.proven.findIndex(proven => proven.version === version);
    const older = (at < 0 ? undefined : record.proven[at + 1]?.version) ?? '1.2.3';
    throw new NotFoundError(error.code, error.message, {
      fix: `publish ${version} again, or name another: npx bootlace rollback ${service.name} --to ${older}`,
      facts: error.facts,
      cause: error,
    });
  }
}

/** @param what why there is nowhere to go back to */
export function nothingProven({ service, deploys }: Look, what: string): NotFoundError {
  return new NotFoundError('NO_PROVEN_VERSION', `${service.name} ${what}`, {
    fix: `name one: npx bootlace rollback ${service.name} --to 1.2.3`,
    facts: {
      candidates: deploys
        .slice(0, 10)
        .map(({ id, status }) => `${id} ${status}`)
        .join(', '),
    },
  });
}
