import validVersion from 'semver/functions/valid';
import { DeployError, UsageError } from '../errors';
import type { Io } from '../io';
import { urlOf } from './address';
import type { ProofWish } from './deploy-one';
import type { Shown } from './expect';
import { findServices } from './find';
import { findLiveVersion } from './live-version';
import { lookAt } from './look';
import { classOf } from './model';
import { probe } from './probe';
import { prove } from './prove';
import type { Session } from './session';
import { statusText } from './wait';

export interface Verified {
  target: string;
  url: string | undefined;
  version: string | undefined;
  deploy: string | undefined;
  proof: readonly string[];
}

/**
 * Asks an address until it is right three times in a row; needs no API key.
 * @param expected the version that must be shown; its own value goes before
 * @param patienceMs how long it may take
 * @throws DeployError VERIFY_UNHEALTHY or VERIFY_WRONG_VERSION
 */
export async function verifyUrl(
  url: string,
  shown: Shown | undefined,
  expected: string | undefined,
  options: {
    io: Pick<Io, 'now' | 'sleep'>;
    signal: AbortSignal;
    patienceMs: number;
    pollMs: number;
    say: (sentence: string) => void;
  },
): Promise<Verified> {
  const { io, signal, say } = options;
  const value = shown?.value ?? expected;
  if (shown && value === undefined)
    throw new UsageError('VERSION_MISSING', 'the version that is expected is not named', {
      fix: 'pass --backend-version 1.2.3, or write it into the flag: --expect-json /version=1.2.3',
    });
  const wanted = shown && value !== undefined ? { ...shown, value } : undefined;
  const end = io.now() + options.patienceMs;
  let said = '';
  for (let streak = 0; ; ) {
    const found = await probe(url, wanted, signal);
    streak = found.state === 'ok' ? streak + 1 : 0;
    if (found.state === 'ok' && streak >= 3)
      return {
        target: url,
        url,
        version: found.version,
        deploy: undefined,
        proof: [`${url}: ${found.text}`, '3 times in a row'],
      };
    if (found.state !== 'ok' && found.text !== said) say(`not yet: ${url}: ${found.text}`);
    said = found.text;
    if (io.now() >= end) {
      const code = found.state === 'wrong' ? 'VERIFY_WRONG_VERSION' : 'VERIFY_UNHEALTHY';
      throw new DeployError(code, `${url}: ${found.text}`, {
        fix: 'see the logs of the service; --patience MINUTES waits longer',
      });
    }
    await io.sleep(options.pollMs, signal);
  }
}

/**
 * Verifies services: a deploy is live, healthy, and of the version that is expected.
 * @param expect finds the version that is wanted, given the service's own BACKEND_PACKAGE; with
 *   none, the service's pin is expected, where that is exact
 * @throws DeployError VERIFY_… or as the proof of a deploy does
 */
export async function verifyService(
  session: Session,
  name: string,
  expect: (servicePackage: string | undefined) => Promise<string | undefined>,
  envKey: string | undefined,
  wish: ProofWish,
): Promise<Verified> {
  const { client, signal } = session;
  const [service] = await findServices(client, [name]);
  if (!service) throw new Error('findServices returns one for each name');
  const look = await lookAt(client, service, envKey);
  const { live, pin } = look;
  const fix = `see: npx bootlace services; then: npx bootlace deploy ${name}`;
  if (service.suspended)
    throw new DeployError('SERVICE_SUSPENDED', `${service.name} is suspended`, {
      fix: 'resume the service in the Render dashboard',
    });
  if (!live)
    throw new DeployError('VERIFY_NOTHING_LIVE', `${service.name} has no live deploy`, { fix });
  const last = look.deploys[0];
  if (last && classOf(last) === 'running')
    session.warn(`${service.name}: ${last.id} is ${statusText(last)}; this looks at ${live.id}`);
  const url = urlOf(service, wish);
  const shown = wish.healthOnly ? undefined : wish.shown;
  const exactPin = validVersion(pin) ?? undefined;
  const expected = await expect(
    look.isPinned ? await client.variable(service.id, 'BACKEND_PACKAGE') : undefined,
  );
  const wanted = wish.healthOnly ? undefined : (shown?.value ?? expected ?? exactPin);
  const found = await findLiveVersion(client, look, { url, shown, signal });
  if (wanted !== undefined && !shown && found && found.version !== wanted)
    throw new DeployError(
      'VERIFY_WRONG_VERSION',
      `${service.name} runs ${found.version} (by ${found.by}), expected ${wanted}`,
      { fix, facts: { found: found.version, expected: wanted } },
    );
  if (wanted !== undefined && !shown && !found)
    throw new DeployError(
      'VERIFY_UNPROVEN',
      `nothing shows which version ${service.name} runs; expected ${wanted}`,
      { fix: 'pass --expect-json /version (or --expect-header), or --health-only' },
    );
  const proof = await prove(session, {
    service,
    deploy: live,
    version: wanted ?? found?.version,
    package: undefined,
    isNew: false,
    nonce: undefined,
    shown: wanted === undefined ? undefined : shown,
    startLines: found?.by === 'its start line' && wanted !== undefined,
    url,
  });
  const by = found ? [`version ${found.version} by ${found.by}`] : [];
  return {
    target: service.name,
    url,
    version: found?.version,
    deploy: live.id,
    proof: [...proof, ...by],
  };
}
