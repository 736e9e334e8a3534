/**
 * Every field of a Blueprint with its values, as Render's "Blueprint YAML Reference" and its public
 * JSON schema give them (September 2026).
 */
export interface Spec {
  /** `scalar`: text or a number. */
  is: 'text' | 'whole' | 'boolean' | 'scalar' | 'list' | 'map';
  oneOf?: readonly string[];
  /** Render adds values before its public schema does: another one is a warning. */
  lags?: true;
  /** Older values that Render still takes, with their successors. */
  renamed?: ReadonlyMap<string, string>;
  min?: number;
  max?: number;
  items?: Spec | 'service' | 'envVar';
  fields?: Fields;
  required?: readonly string[];
  /** Render passes over fields that it does not know here. */
  open?: true;
  /** What to write instead of this field. */
  deprecated?: string;
}
export type Fields = Readonly<Record<string, Spec>>;

const text: Spec = { is: 'text' };
const scalar: Spec = { is: 'scalar' };
const boolean: Spec = { is: 'boolean' };
const count: Spec = { is: 'whole', min: 1 };
const words = (list: string): Spec => ({ is: 'text', oneOf: list.split(', ') });
const plan = (list: string): Spec => ({ ...words(list), lags: true });
const list = (items: Spec | 'service' | 'envVar'): Spec => ({ is: 'list', items });
/** @param required the names of the fields that must be there */
const map = (required: string, fields: Fields): Spec => ({
  is: 'map',
  fields,
  required: required.split(' ').filter(Boolean),
});
const open = (required: string, fields: Fields): Spec => ({ ...map(required, fields), open: true });
const deprecated = (spec: Spec, successor: string): Spec => ({ ...spec, deprecated: successor });

// The plans of Render: names of before September 2026, which it still takes, then today's.
const sizes =
  '0.5c-512mb, 1c-2g, 2c-4g, 2c-8g, 2c-16g, 4c-8g, 4c-16g, 4c-32g, 8c-16g, 8c-32g, 8c-64g';
const cronPlan = plan(`starter, standard, pro, pro plus, ${sizes}`);
const serverPlan = plan(
  `free, starter, standard, pro, pro plus, pro max, pro ultra, ${sizes}, 12c-24g, 12c-48g, 12c-96g`,
);
const keyValuePlan = plan(
  'free, starter, standard, pro, pro plus, pro max, pro ultra, 256mb, 1g, 5g, 10g, 20g, 40g',
);
const postgresPlan = plan(
  'free, starter, standard, pro, pro plus, basic-256mb, basic-1gb, basic-4gb, ' +
    'pro-4gb, pro-8gb, pro-16gb, pro-32gb, pro-64gb, pro-128gb, pro-192gb, pro-256gb, pro-384gb, ' +
    'pro-512gb, accelerated-16gb, accelerated-32gb, accelerated-64gb, accelerated-128gb, ' +
    'accelerated-256gb, accelerated-384gb, accelerated-512gb, accelerated-768gb, ' +
    'accelerated-1024gb, ' +
    '0.1c-256mb, 0.5c-1g, 1c-2g, 1c-4g, 2c-4g, 2c-8g, 2c-16g, 4c-16g, 4c-32g, 8c-32g, 8c-64g, ' +
    '16c-64g, 16c-128g, 32c-128g, 32c-256g, 48c-192g, 48c-384g, 64c-256g, 64c-512g, 96c-384g, ' +
    '96c-768g, 128c-512g, 128c-1024g',
);

const region = words('oregon, ohio, frankfurt, singapore, virginia');
const enabled = words('enabled, disabled');
const generation = words('automatic, manual, off');
const ipAllowList = list(open('source', { source: text, description: text }));
const credential = map('fromRegistryCreds', { fromRegistryCreds: map('name', { name: text }) });
const runtime = words('docker, elixir, go, image, node, python, ruby, rust, static');
const buildFilter = open('', { paths: list(text), ignoredPaths: list(text) });
const renamedTypes = new Map([['redis', 'keyvalue']]);

/** What a variable's entry is made of, by the field that tells its source. */
export const envVarShapes: Readonly<Record<string, Spec>> = {
  fromGroup: map('fromGroup', { fromGroup: text }),
  fromDatabase: map('key fromDatabase', {
    key: text,
    fromDatabase: open('name property', {
      name: text,
      property: words(
        'connectionString, connectionPoolString, host, port, user, password, database',
      ),
    }),
  }),
  fromService: map('key fromService', {
    key: text,
    fromService: open('name type', {
      name: text,
      type: {
        ...words('web, cron, worker, pserv, static, dpg, job, redis, keyvalue'),
        renamed: renamedTypes,
      },
      property: words('host, port, hostport, connectionString'),
      envVarKey: text,
    }),
  }),
  value: map('key', {
    key: text,
    value: scalar,
    generateValue: boolean,
    sync: boolean,
    previewValue: scalar,
  }),
};

/** What every service that is built has. */
const built: Fields = {
  type: text,
  name: text,
  runtime,
  env: deprecated(runtime, 'runtime'),
  repo: text,
  branch: text,
  rootDir: text,
  buildCommand: text,
  preDeployCommand: text,
  envVars: list('envVar'),
  buildFilter,
  autoDeploy: deprecated(boolean, 'autoDeployTrigger'),
  autoDeployTrigger: words('off, commit, checksPass'),
};
const program: Fields = {
  ...built,
  region,
  startCommand: text,
  dockerCommand: text,
  dockerfilePath: text,
  dockerContext: text,
  registryCredential: credential,
  image: map('url', { url: text, creds: credential }),
};
const site: Fields = {
  domain: deprecated(text, 'domains, a list'),
  domains: list(text),
  pullRequestPreviewsEnabled: deprecated(boolean, 'previews: with generation'),
  ipAllowList,
  renderSubdomainPolicy: enabled,
};
const percent: Spec = { is: 'whole', min: 1, max: 90 };

/** The shapes of a service; each is closed. */
export const serviceShapes = {
  server: map('type name runtime', {
    ...program,
    ...site,
    plan: serverPlan,
    numInstances: count,
    healthCheckPath: text,
    scaling: open('', {
      minInstances: count,
      maxInstances: count,
      targetMemoryPercent: percent,
      targetCPUPercent: percent,
    }),
    initialDeployHook: text,
    disk: map('name mountPath', { name: text, mountPath: text, sizeGB: count }),
    previews: map('', { generation, plan: serverPlan, numInstances: count }),
    previewPlan: deprecated(serverPlan, 'previews: with plan'),
    maintenanceMode: map('', { enabled: boolean, uri: text }),
    maxShutdownDelaySeconds: { is: 'whole', min: 1, max: 300 },
  }),
  static: map('type name runtime', {
    ...built,
    ...site,
    staticPublishPath: text,
    previews: map('', { generation }),
    headers: list(open('path name value', { path: text, name: text, value: text })),
    routes: list(
      open('type source destination', {
        type: words('redirect, rewrite'),
        source: text,
        destination: text,
      }),
    ),
  }),
  cron: map('type name runtime schedule', { ...program, plan: cronPlan, schedule: text }),
  keyvalue: map('type name ipAllowList', {
    type: { ...words('keyvalue, redis'), renamed: renamedTypes },
    name: text,
    region,
    ipAllowList,
    plan: keyValuePlan,
    previewPlan: keyValuePlan,
    maxmemoryPolicy: words(
      'allkeys-lru, volatile-lru, allkeys-lfu, volatile-lfu, allkeys-random, volatile-random, ' +
        'volatile-ttl, noeviction',
    ),
    persistenceMode: words('journal-snapshot, snapshot, off'),
  }),
} satisfies Record<string, Spec>;

/** The fields that tell a static site from any other service. */
export const staticOnly = ['staticPublishPath', 'headers', 'routes'];

const envVarGroups = list(map('name envVars', { name: text, envVars: list('envVar') }));
const resources: Fields = {
  services: list('service'),
  databases: list(
    map('name', {
      name: text,
      databaseName: text,
      user: text,
      region,
      plan: postgresPlan,
      previewPlan: postgresPlan,
      diskSizeGB: count,
      previewDiskSizeGB: count,
      storageAutoscalingEnabled: boolean,
      connectionPool: words('pgbouncer, none'),
      postgresMajorVersion: words('10, 11, 12, 13, 14, 15, 16, 17, 18'),
      highAvailability: map('enabled', { enabled: boolean }),
      ipAllowList,
      readReplicas: list(map('name', { name: text })),
    }),
  ),
  envVarGroups,
};

/** The whole file. */
export const blueprintShape = map('', {
  ...resources,
  previews: map('', { generation, expireAfterDays: count }),
  previewsEnabled: deprecated(boolean, 'previews: with generation'),
  previewsExpireAfterDays: deprecated(count, 'previews: with expireAfterDays'),
  projects: list(
    map('name environments', {
      name: text,
      // In Render's tutorials, not in its schema.
      envVarGroups,
      environments: list(
        map('name', {
          ...resources,
          name: text,
          networking: map('', { isolation: enabled }),
          permissions: map('', { protection: enabled }),
        }),
      ),
    }),
  ),
  ungrouped: map('', resources),
  version: words('1'),
});

/** Names that people expect, with the field that Render has and what to write in it. */
export const misnamed: ReadonlyMap<string, readonly [field: string, write?: string]> = new Map([
  ['nodeVersion', ['envVars', 'the variable NODE_VERSION under envVars']],
  ['pythonVersion', ['envVars', 'the variable PYTHON_VERSION under envVars']],
  ['environment', ['envVars']],
  ['variables', ['envVars']],
  ['secrets', ['envVars', 'envVars, each with sync: false']],
  ['volumes', ['disk']],
  ['migrateCommand', ['preDeployCommand']],
  ['version', ['postgresMajorVersion']],
  ['redis', ['services', 'an entry of services with type: keyvalue']],
]);
