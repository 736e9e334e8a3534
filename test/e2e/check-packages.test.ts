// `bootlace check` on well-kept server packages of the npm registry; skipped, with the reason, without it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import satisfies from 'semver/functions/satisfies';
import type { Finding } from '../../src/ui/findings';
import { withoutRegistry } from '../support/live-registry';
import { bootlace, temporaryFolder } from '../support/run';

const skip = withoutRegistry();

/** Each with its engines.node. */
const packages: [spec: string, node: string][] = [
  ['node-red@4.1.8', '>=18.5'],
  ['json-server@0.17.4', '>=12'],
  ['http-server@14.1.1', '>=12'],
  ['unleash-server@6.4.1', '>=18 <21'],
  ['pm2@7.0.4', '>=18.0.0'],
  ['serve@14.2.7', '>= 14'],
  ['parse-server@9.10.0', '>=20.19.0 <21.0.0 || >=22.13.0 <23.0.0 || >=24.11.0 <25.0.0'],
  ['hubot@14.1.0', '>= 18'],
  ['prerender@5.21.6', '>=10'],
  ['@strapi/strapi@5.55.1', '>=20.0.0 <=26.x.x'],
  ['@mockoon/cli@9.9.0', '>=18'],
  ['@cubejs-backend/server@1.7.43', '>=20.0.0'],
  ['verdaccio@6.10.4', '>=22'],
  ['directus@12.4.1', '>=22'],
  ['n8n@2.41.3', '>=24.0.0'],
];

for (const [spec, node] of packages)
  test(`nothing to refuse in ${spec}`, async t => {
    const reason = await skip;
    if (reason) return t.skip(reason);
    const { code, stdout, stderr } = await bootlace(['check', spec, '--json'], {
      cwd: temporaryFolder(t),
    });
    assert.notEqual(stdout, '', stderr);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    const errors = findings.filter(({ severity }) => severity === 'error');
    const fits = satisfies(process.versions.node, node, { includePrerelease: true });
    assert.deepEqual(
      errors.map(({ code, path }) => `${code} ${path}`),
      fits ? [] : ['ENGINE_MISMATCH engines.node'],
    );
    assert.equal(code, fits ? 0 : 3);
  });

test('http-server@14.1.1 is installed and started', async t => {
  const reason = await skip;
  if (reason) return t.skip(reason);
  const { code, stdout, stderr } = await bootlace(['check', 'http-server@14.1.1', '--boot'], {
    cwd: temporaryFolder(t),
  });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^bin\/http-server: \/ answered 200 after /m);
});
