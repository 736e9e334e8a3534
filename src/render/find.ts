import { NotFoundError, UsageError } from '../errors';
import type { RenderClient } from './client';
import type { Service } from './model';

/**
 * Finds services by name or id, each once.
 * @throws NotFoundError SERVICE_NOT_FOUND with the names that there are; UsageError
 *   SERVICE_AMBIGUOUS for a name that two services have
 */
export async function findServices(
  client: RenderClient,
  wanted: readonly string[],
): Promise<Service[]> {
  const found: Service[] = [];
  for (const word of wanted) {
    const service = /^(srv|crn)-\w+$/.test(word)
      ? await client.service(word)
      : await findByName(client, word);
    if (!found.some(({ id }) => id === service.id)) found.push(service);
  }
  return found;
}

async function findByName(client: RenderClient, name: string): Promise<Service> {
  const [service, ...more] = await client.services(name);
  if (!service) {
    const names = (await client.services()).map(other => other.name);
    throw new NotFoundError(
      'SERVICE_NOT_FOUND',
      `there is no service named ${JSON.stringify(name.slice(0, 60))}`,
      {
        fix: 'use a name or an id that this lists: npx bootlace services',
        facts: { candidates: names.slice(0, 30).join(', ') || 'none' },
      },
    );
  }
  if (more.length)
    throw new UsageError('SERVICE_AMBIGUOUS', `${more.length + 1} services are named ${name}`, {
      fix: `use the id of one: ${[service, ...more].map(({ id }) => id).join(', ')}`,
    });
  return service;
}
