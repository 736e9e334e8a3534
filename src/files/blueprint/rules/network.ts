import {
  type Blueprint,
  byName,
  perService,
  type Resource,
  type Rule,
  type Service,
} from '../blueprint';
import { error, type Problem, quote, warning } from '../value';
import { references } from './references';

/** Traps of addresses, regions and access. */
export const networkRules: readonly Rule[] = [
  openDatabases,
  internalHosts,
  regions,
  perService(poolService),
];

function* openDatabases({ databases, services }: Blueprint): Generator<Problem> {
  const stores = services.filter(({ type }) => type === 'keyvalue');
  for (const { at, name } of [...databases, ...stores])
    for (const entry of at.maps('ipAllowList'))
      if (/^(0+\.0+\.0+\.0+|::)\/0$/.test(entry.text('source') ?? ''))
        yield warning(entry, 'DATABASE_OPEN', {
          message: `${quote(name)} takes connections from every address`,
          fix: 'write ipAllowList: [] (services of the same region connect inside), or your addresses',
        });
}

/** Variables with these names are built into pages. */
const browserName = /^(NEXT_PUBLIC_|NUXT_PUBLIC_|EXPO_PUBLIC_|PUBLIC_|VITE_|REACT_APP_|GATSBY_)/;

function* internalHosts(blueprint: Blueprint): Generator<Problem> {
  for (const { envVar, from } of references(blueprint, 'fromService')) {
    const property = from.text('property') ?? '';
    if (browserName.test(envVar.key ?? '') && /^(host|hostport)$/.test(property))
      yield warning(from.place('property'), 'HOST_NOT_PUBLIC', {
        message: `${property} is a name inside Render, and ${quote(envVar.key ?? '')} goes to browsers`,
        fix: 'write envVarKey: RENDER_EXTERNAL_URL in place of property',
      });
  }
}

/** Internal addresses work within one region. */
function* regions(blueprint: Blueprint): Generator<Problem> {
  for (const [kind, all] of [
    ['fromDatabase', blueprint.databases],
    ['fromService', blueprint.services],
  ] as const) {
    const targets = byName<Resource>(all);
    for (const { service, from } of references(blueprint, kind)) {
      const target = targets.get(from.text('name') ?? '');
      const property = from.text('property') ?? '';
      if (!target || !/host|connection/.test(property)) continue;
      if (service.runtime === 'static' || service.region === target.region) continue;
      yield error(from.place('name'), 'REGION_DIFFERS', {
        message: `${quote(target.name)} is in ${target.region}, ${quote(service.name)} in ${service.region}, and its address works in ${target.region} only`,
        fix: `write region: ${target.region} at ${service.name}; a region is chosen at creation`,
      });
    }
  }
}

function* poolService({ at }: Service): Generator<Problem> {
  if (/(^|\/)pgbouncer/i.test(at.map('image')?.text('url') ?? ''))
    yield warning(at.place('image'), 'POOL_AS_SERVICE', {
      message: 'Render runs PgBouncer in front of a database itself',
      fix: 'write connectionPool: pgbouncer at the database, and property: connectionPoolString',
    });
}
