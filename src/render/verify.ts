import validVersion from 'semver/functions/valid';
import { DeployError, UsageError } from '../errors';
import type { Io } from '../io';
import { statusText } from './api/reason';
import { suspended } from './move/plan';
import { unprovenFix } from './move/progress';
import { readServiceState } from './move/state';
import { addressNotes, addressOf, probe, type VersionPlace } from './proof/address';
import { prove } from './proof/prove';
import { findService, pollMs, type Session } from './session';

export interface Verified {
  target: string;
  url: string | undefined;
  version: string | undefined;
  deploy: string | undefined;
  proof: readonly string[];
}

/**
 * Asks an address until it is right three times in a row; needs no API key.
 * @param place where it shows its version, and the one that it must show
 * @param options.patienceMs how long it may take; `flag` is what the user sets it with
 * @param options.isOld a value that does not count, because it was shown before
 * @throws DeployError VERIFY_UNHEALTHY or VERIFY_WRONG_VERSION
 */
export async function verifyUrl(
  url: string,
  place: VersionPlace | undefined,
  options: {
    io: Pick<Io, 'now' | 'sleep'>;
    signal: AbortSignal;
    patienceMs: number;
    flag: '--patience' | '--timeout';
    say: (sentence: string) => void;
    isOld?: string | undefined;
  },
): Promise<Verified> {
  const { io, signal, say, isOld } = options;
  const value = place?.value;
  if (place && value === undefined && isOld === undefined)
    throw new UsageError('VERSION_MISSING', 'the version that is expected is not named', {
      fix: 'pass --backend-version 1.2.3, or write it into the flag: --expect-json /version=1.2.3',
    });
  const end = io.now() + options.patienceMs;
  let said = '';
  let shown: string | undefined;
  for (let streak = 0; ; ) {
    const wanted = place && { ...place, value: value ?? shown };
    const found = await probe({ url, isStrict: true }, wanted, signal);
    // With no value to expect, another one than before is the new version's, once it stays.
    if (value === undefined && found.state === 'wrong' && found.version !== isOld)
      shown = found.version;
    streak = found.state === 'ok' ? streak + 1 : 0;
    if (found.state === 'ok' && streak >= 3)
      return {
        target: url,
        url,
        version: found.version,
        deploy: undefined,
        proof: [`${url}: ${found.text}`, '3 times in a row'],
      };
    const isUnchanged = found.state === 'wrong' && value === undefined && found.version === isOld;
    const text = isUnchanged ? `it answers ${found.status} and still ${isOld}` : found.text;
    if (found.state !== 'ok' && text !== said) say(`not yet: ${url}: ${text}`);
    said = text;
    if (io.now() >= end) {
      const code = found.state === 'wrong' ? 'VERIFY_WRONG_VERSION' : 'VERIFY_UNHEALTHY';
      throw new DeployError(code, `${url}: ${text}`, {
        fix: `see the logs of the service; ${options.flag} MINUTES waits longer`,
      });
    }
    await io.sleep(pollMs, signal);
  }
}

/**
 * Verifies a service: a deploy is live, healthy, and of the version that is expected.
 * @param expect finds the version that is wanted, given the service's own BACKEND_PACKAGE; with
 *   none, the service's pin is expected, where that is exact
 * @throws DeployError VERIFY_… or as the proof of a deploy does
 */
export async function verifyService(
  session: Session,
  name: string,
  expect: (servicePackage: string | undefined) => Promise<string | undefined>,
): Promise<Verified> {
  const { client, proof } = session;
  const service = await findService(session, name);
  const state = await readServiceState(session, service);
  const { live, pin, known: found } = state;
  if (service.suspended) throw suspended(service.name, 'is suspended');
  if (!live)
    throw new DeployError('VERIFY_NOTHING_LIVE', `${service.name} has no live deploy`, {
      fix: `deploy it: ${session.line('deploy', {})}`,
    });
  const { running } = state;
  if (running)
    session.warn(
      `${service.name}: ${running.id} is ${statusText(running)}; this looks at ${live.id}`,
    );
  for (const note of addressNotes(service, proof)) session.warn(note);
  const address = addressOf(service, proof);
  // What has no address shows nothing there.
  const place = address && proof.place;
  const exactPin = validVersion(pin) ?? undefined;
  const servicePackage = state.isPinned
    ? await client.variable(service.id, 'BACKEND_PACKAGE')
    : undefined;
  const expected = await expect(servicePackage);
  const wanted = proof.healthOnly ? undefined : (place?.value ?? expected ?? exactPin);
  if (wanted !== undefined && !place && found && found.version !== wanted)
    throw new DeployError(
      'VERIFY_WRONG_VERSION',
      `${service.name} runs ${found.version} (by ${found.by}), expected ${wanted}`,
      { fix: fixOf('DEPLOY_WRONG_VERSION'), facts: { found: found.version, expected: wanted } },
    );
  if (wanted !== undefined && !place && !found)
    throw new DeployError(
      'VERIFY_UNPROVEN',
      `nothing shows which version ${service.name} runs; expected ${wanted}`,
      { fix: fixOf('DEPLOY_UNPROVEN') },
    );
  const verdict = await prove(session, {
    // Nothing is ending, so the time limit is the user's alone.
    service: { ...service, shutdownMs: 0 },
    deploy: live,
    version: wanted ?? found?.version,
    place,
    startLines: found?.by === 'its start line' && wanted !== undefined,
    fix: fixOf,
  });
  if (verdict.state === 'ended')
    throw new DeployError(
      'DEPLOY_SUPERSEDED',
      `${service.name}: ${live.id} was replaced meanwhile (${statusText(verdict.deploy)})`,
      { fix: `run it again: ${session.line(undefined, {})}` },
    );
  if (verdict.state !== 'proven') throw verdict.error;
  const by = found ? [`version ${found.version} by ${found.by}`] : [];
  return {
    target: service.name,
    url: address?.url,
    version: found?.version,
    deploy: live.id,
    proof: [...verdict.seen, ...by],
  };

  function fixOf(code: string): string {
    const again = session.line(undefined, {});
    if (code === 'DEPLOY_UNPROVEN') return unprovenFix(session, again);
    if (code !== 'DEPLOY_WRONG_VERSION')
      return `see its log on Render; correct the service, or deploy another version; then: ${again}`;
    return state.isPinned && wanted !== undefined && validVersion(wanted)
      ? `deploy it: ${session.line('deploy', { version: wanted })}`
      : `see what was deployed: ${session.line('releases', {})}`;
  }
}
