import { UsageError } from '../errors';
import { joinPath } from '../render/address';
import { parseHook, triggerHook } from '../render/hook';
import { probe } from '../render/probe';
import type { ServiceResult } from '../render/result';
import { defaultLimits } from '../render/session';
import { verifyUrl } from '../render/verify';
import type { Context } from './command';
import { minutes, readProofWish, resolver } from './render-command';
import { reported } from './render-report';

/** Without an API key: a hook deploys what the service is set to, and its address proves it. */
export async function deployByHook(context: Context, hookText: string): Promise<number> {
  const { flags, positionals, io, signal, report, redactor } = context;
  const hook = parseHook(hookText);
  for (const secret of hook.secrets) redactor.add(secret);
  const wish = readProofWish(context);
  if (positionals.length || wish.url === undefined || !(wish.shown || wish.healthOnly))
    throw new UsageError(
      'HOOK_NEEDS_PROOF',
      'a deploy hook needs --url and --expect-json or --expect-header, and no service',
      {
        fix: 'pass for example --url https://api.example.com --expect-json /version; --health-only does without a version',
      },
    );
  const shown = wish.healthOnly ? undefined : wish.shown;
  const version = shown && (shown.value ?? (await resolver(context)(undefined)).version);
  const url = wish.health ? joinPath(wish.url, wish.health) : wish.url;
  const expected = shown && version !== undefined ? { ...shown, value: version } : undefined;
  if (!expected) report.warn(`${url} is asked for its health alone, which the old version has too`);
  else if ((await probe(url, expected, signal)).state === 'ok')
    report.warn(
      `${url} answers ${version} already: the proof cannot tell the new deploy from the old`,
    );
  const result: ServiceResult = {
    service: new URL(url).host,
    id: '',
    type: 'web_service',
    version,
    previous: undefined,
    deploy: undefined,
    url,
    outcome: 'untouched',
    proof: [],
  };
  return reported(context, 'Deploy', [result], () =>
    trigger().catch(error => {
      result.outcome = signal.aborted ? 'interrupted' : 'failed';
      throw error;
    }),
  );

  async function trigger(): Promise<void> {
    const image = flags.image === undefined ? undefined : String(flags.image);
    result.deploy = await triggerHook(hook.url, image, signal);
    report.progress(
      `triggered${result.deploy ? `: ${result.deploy}` : '; the hook did not say which deploy'}`,
    );
    const { proof } = await verifyUrl(url, shown, version, {
      io,
      signal,
      patienceMs: minutes(flags, 'timeout') ?? defaultLimits.deployMs,
      pollMs: defaultLimits.pollMs,
      say: sentence => report.progress(sentence),
    });
    Object.assign(result, { outcome: 'deployed', proof });
  }
}
