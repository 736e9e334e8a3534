import { UsageError } from '../../errors';
import { parseHook, triggerHook } from '../../render/api/hook';
import type { ServiceResult } from '../../render/move/progress';
import { joinPath, probe } from '../../render/proof/address';
import { defaultLimits } from '../../render/session';
import { verifyUrl } from '../../render/verify';
import { loadSources } from '../../settings/load';
import { collectSettings } from '../../settings/settings';
import type { Context } from '../command';
import { minutes, readProofWish, textOf } from './flags';
import { reported } from './render-report';
import { resolver } from './resolve';

/** Without an API key: a hook deploys what the service is set to, and its address proves it. */
export async function deployByHook(context: Context, hookText: string): Promise<number> {
  const { flags, positionals, io, signal, report, redactor } = context;
  const hook = parseHook(hookText);
  for (const secret of hook.secrets) redactor.add(secret);
  const wish = readProofWish(context);
  if (positionals.length || wish.url === undefined || !(wish.place || wish.healthOnly))
    throw new UsageError(
      'HOOK_NEEDS_PROOF',
      'a deploy hook needs --url and --expect-json or --expect-header, and no service',
      {
        fix: 'pass for example --url https://api.example.com --expect-json /version; --health-only does without a version',
      },
    );
  const version = wish.place && (wish.place.value ?? (await publishedVersion(context)));
  const place = wish.place && { ...wish.place, value: version };
  const url = joinPath(wish.url, wish.health);
  const before = await probe({ url, isStrict: true }, place, signal);
  const isOld = before.state === 'wrong' ? before.version : undefined;
  if (!place) report.warn(`${url} is asked for its health alone, which the old version has too`);
  else if (version === undefined && isOld !== undefined)
    report.progress(`${url} answers ${isOld}; waiting for another value`);
  else if (version === undefined)
    report.warn(`${url} shows no version now: the first that it shows counts as the new one`);
  else if (before.state === 'ok')
    report.warn(
      `${url} answers ${version} already: the proof cannot tell the new deploy from the old`,
    );
  const result: ServiceResult = {
    service: new URL(url).host,
    id: '',
    type: 'web_service',
    version,
    previous: isOld,
    url,
    outcome: 'untouched',
    proof: [],
  };
  return reported(context, 'Deploy', [result], onBegin =>
    trigger(onBegin).catch(error => {
      result.outcome = signal.aborted ? 'interrupted' : 'failed';
      result.reason = (error as Error).message;
      throw error;
    }),
  );

  async function trigger(onBegin: (result: ServiceResult) => Promise<void>): Promise<void> {
    await onBegin(result);
    result.deploy = await triggerHook(hook.url, textOf(flags.image), signal);
    report.progress(
      `triggered${result.deploy ? `: ${result.deploy}` : '; the hook did not say which deploy'}`,
    );
    const verified = await verifyUrl(url, place, {
      io,
      signal,
      patienceMs: minutes(flags, 'timeout') ?? defaultLimits.deployMs,
      flag: '--timeout',
      say: sentence => report.progress(sentence),
      isOld: isOld ?? '',
    });
    // What was there before proves nothing of the new deploy.
    const outcome = place && before.state !== 'ok' ? 'deployed' : 'triggered';
    Object.assign(result, { outcome, version: verified.version, proof: verified.proof });
  }
}

/** The version that the package's registry names; undefined where no package is named. */
async function publishedVersion(context: Context): Promise<string | undefined> {
  const { dir, flags, io } = context;
  if (!collectSettings(loadSources(dir, flags, io.env)).package) return undefined;
  return (await resolver(context)(undefined)).version;
}
