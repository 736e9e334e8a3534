import { NotFoundError, UsageError } from '../../errors';
import type { Service } from './model';
import { type Session, workspaceId } from './session';

/**
 * Finds services by name or id, each once; names in the session's workspace where it has one.
 * @throws NotFoundError SERVICE_NOT_FOUND with the names that there are; UsageError
 *   SERVICE_AMBIGUOUS for a name that two services have
 */
export async function findServices(
  session: Session,
  wanted: readonly string[],
): Promise<Service[]> {
  const ownerId = await workspaceId(session);
  const found: Service[] = [];
  for (const word of wanted) {
    const service = /^(srv|crn)-\w+$/.test(word)
      ? await session.client.service(word)
      : await findByName(session, word, ownerId);
    if (!found.some(({ id }) => id === service.id)) found.push(service);
  }
  return found;
}

async function findByName(
  { client }: Session,
  name: string,
  ownerId: string | undefined,
): Promise<Service> {
  const [service, ...more] = await client.services(name, ownerId);
  if (!service) {
    const names = (await client.services(undefined, ownerId)).map(other => other.name);
    throw new NotFoundError(
      'SERVICE_NOT_FOUND',
      `there is no service named ${JSON.stringify(name.slice(0, 60))}`,
      {
        fix: 'use a name or an id that this lists: npx bootlace services',
        facts: { candidates: names.slice(0, 30).join(', ') || 'none' },
      },
    );
  }
  if (more.length) {
    const all = [service, ...more];
    const owners = new Set(all.map(one => one.ownerId));
    throw new UsageError('SERVICE_AMBIGUOUS', `${all.length} services are named ${name}`, {
      fix: `use the id of one: ${all.map(({ id }) => id).join(', ')}${owners.size > 1 ? `; or name its workspace: --workspace ${[...owners].join(' or ')}` : ''}`,
    });
  }
  return service;
}
