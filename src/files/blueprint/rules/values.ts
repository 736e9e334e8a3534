import { posix } from 'node:path';
import type { Repository } from '../../repository';
import type { Blueprint, EnvVar, Rule } from '../blueprint';
import { error, type Problem, quote, textOf, warning } from '../value';
import { references } from './references';

/** Traps in what variables and settings are set to. */
export const valueRules: readonly Rule[] = [
  perVariable(secrets),
  perVariable(numbers),
  perVariable(interpolation),
  perVariable(origins),
  unquotedWords,
  databaseScheme,
];

function perVariable(rule: (variable: EnvVar) => Iterable<Problem>): Rule {
  return function* ({ services, groups }) {
    for (const { envVars } of [...services, ...groups])
      for (const variable of envVars) yield* rule(variable);
  };
}

/** Names whose values are secrets; not those that a browser gets anyway. */
const secretName =
  /(^|_)(SECRET|SECRET_?KEY|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_KEY|ENCRYPTION_KEY|MASTER_KEY|CREDENTIALS)$/i;
const publicName =
  /^(NEXT_|NUXT_|EXPO_|REACT_APP_|VITE_|GATSBY_)?PUBLIC_|^(VITE|REACT_APP|GATSBY)_/;
/** GitHub, npm, Stripe and OpenAI, AWS, Slack, Render, private keys, and URLs with a password. */
const secretText =
  /\b(gh[opsu]_\w{20}|github_pat_\w{20}|npm_\w{30}|[sr]k[-_](live|proj|ant)[-_]\w{10}|AKIA[A-Z0-9]{16}|xox[abp]-\w{8}|rnd_\w{20})|-----BEGIN [A-Z ]*PRIVATE KEY|^\w[\w+.-]*:\/\/[^\s/:@$]*:[^\s/@$]+@/;

function* secrets({ key = '', value, text = '' }: EnvVar): Generator<Problem> {
  if (!value || text === '' || /^\$\{?\w+\}?$|^<.*>$/.test(text)) return;
  const isNumber = /^[\d.]+[smhd]?$|^(true|false)$/i.test(text);
  const isNamed =
    secretName.test(key) && !publicName.test(key) && (!isNumber || /PASSW|SECRET/i.test(key));
  if (!isNamed && !secretText.test(text)) return;
  yield error(value.value, 'SECRET_IN_FILE', {
    message: `${key.slice(0, 60)} is a secret, and its value stands in the file`,
    fix: 'write sync: false or generateValue: true in place of value, and replace the secret itself',
  });
}

function* numbers({ at }: EnvVar): Generator<Problem> {
  for (const key of ['value', 'previewValue']) {
    const value = at.fields.get(key)?.value;
    if (value?.kind !== 'scalar' || typeof value.value !== 'number') continue;
    if (value.source !== String(value.value))
      yield error(value, 'NUMBER_CHANGES', {
        message: `YAML reads ${value.source.slice(0, 40)} as the number ${value.value}`,
        fix: `put it in quotes: "${value.source.slice(0, 40)}"`,
      });
  }
}

function* unquotedWords({ services, groups }: Blueprint): Generator<Problem> {
  const variables = [...services, ...groups].flatMap(({ envVars }) => envVars);
  const fields = [
    ...variables.map(({ value }) => value),
    ...services.map(({ at }) => at.fields.get('autoDeployTrigger')),
  ];
  for (const field of fields) {
    if (field?.value.kind !== 'scalar' || !field.value.isPlain) continue;
    const { source } = field.value;
    if (/^(on|off|yes|no)$/i.test(source))
      yield warning(field.value, 'OFF_UNQUOTED', {
        message: `YAML 1.1 reads ${source} as true or false`,
        fix: `write ${field.key}: '${source}'`,
      });
  }
}

function* interpolation({ value, text = '' }: EnvVar): Generator<Problem> {
  const name = /\$\{(\w+)\}/.exec(text)?.[1] ?? /^\$([A-Z]\w+)$/.exec(text)?.[1];
  if (value && name)
    yield warning(value.value, 'NOT_INTERPOLATED', {
      message: `Render does not replace ${name.slice(0, 40)} in a value`,
      fix: 'build the text in the start command, or use fromService or fromDatabase',
    });
}

function* origins({ key = '', value, text = '' }: EnvVar): Generator<Problem> {
  if (value && /CORS|ORIGINS|ALLOWED_HOSTS/i.test(key) && /^\s|\s$|,\s|\s,/.test(text))
    yield warning(value.value, 'ORIGINS_WITH_BLANKS', {
      message: `${key.slice(0, 60)} has blanks, which most programs compare, too`,
      fix: 'write the addresses with commas and without blanks',
    });
}

/** Render gives postgresql://, and SQLAlchemy takes the driver from the scheme. */
function* databaseScheme(blueprint: Blueprint, repository: Repository): Generator<Problem> {
  for (const { service, envVar, from } of references(blueprint, 'fromDatabase')) {
    if (service.runtime !== 'python' || !/connection/.test(from.text('property') ?? '')) continue;
    const text = ['requirements.txt', 'pyproject.toml', 'Pipfile']
      .map(name => repository.text(posix.join(service.rootDir, name)) ?? '')
      .join('\n');
    if (/\bsqlalchemy\b/i.test(text) && /\basyncpg\b/i.test(text) && !/\bpsycopg/i.test(text))
      yield warning(envVar.at, 'DATABASE_SCHEME', {
        message: `${quote(textOf(envVar.at.fields.get('key')?.value) ?? '')} begins with postgresql://, and SQLAlchemy with asyncpg needs postgresql+asyncpg://`,
        fix: 'replace the scheme where the program reads the variable, and ?sslmode=require with ssl',
      });
  }
}
