import { UsageError } from '../errors';
import { joinPath, parseUrl } from '../render/address';
import { openSession } from '../render/connect';
import { deployPace } from '../render/pace';
import { defaultLimits } from '../render/session';
import { type Verified, verifyService, verifyUrl } from '../render/verify';
import { settingFlags } from '../settings/definitions';
import { parseVersionWish } from '../settings/version-wish';
import type { Command, Context } from './command';
import {
  envKeyOf,
  minutes,
  proofHelp,
  proofOptions,
  readProofWish,
  resolver,
  surroundingsOf,
} from './render-command';

const patienceMs = 60_000;

export const command: Command = {
  usage: 'bootlace verify URL|SERVICE [--backend-version VERSION]',
  help: [
    ['URL', 'an address; needs no API key'],
    ['SERVICE', 'the name or id of a service on Render'],
    ['--backend-version V', "the version to expect (the service's exact pin)"],
    ['--env-key NAME', "the pin's variable (BACKEND_VERSION)"],
    ...proofHelp.map(
      ([flag, text]) =>
        [flag, flag.startsWith('--patience') ? 'how long it may take (1)' : text] as const,
    ),
  ],
  options: { ...settingFlags, ...proofOptions, 'env-key': { type: 'string' } },
  positionals: 1,
  async run(context) {
    const { flags, positionals, report, io, signal } = context;
    const [target] = positionals;
    if (!target)
      throw new UsageError('TARGET_MISSING', 'verify needs an address or the name of a service', {
        fix: 'type for example: npx bootlace verify https://api.example.com/health',
      });
    const wish = readProofWish(context);
    const limits = { proofMs: minutes(flags, 'patience') ?? patienceMs };
    let verified: Verified;
    if (/^https?:/i.test(target)) {
      const base = parseUrl(target, 'URL');
      if (flags['backend-version'] !== undefined && !wish.shown && !wish.healthOnly)
        throw new UsageError('VERSION_NOT_SHOWN', `nothing says where ${base} shows its version`, {
          fix: 'pass --expect-json /version or --expect-header NAME, or leave --backend-version out',
        });
      const url = wish.health ? joinPath(base, wish.health) : base;
      verified = await verifyUrl(
        url,
        wish.healthOnly ? undefined : wish.shown,
        await expectedVersion(context),
        {
          io,
          signal,
          patienceMs: limits.proofMs,
          pollMs: defaultLimits.pollMs,
          say: sentence => report.progress(sentence),
        },
      );
    } else {
      const session = openSession(surroundingsOf(context), deployPace, limits);
      verified = await verifyService(
        session,
        target,
        servicePackage => expectedVersion(context, servicePackage),
        envKeyOf(context),
        wish,
      );
    }
    for (const sentence of verified.proof) report.line(sentence);
    if (flags.json) report.json({ ok: true, ...verified, warnings: report.warnings });
    return 0;
  },
};

/** An exact version is taken at its word; what a tag or a range means, the registry says. */
async function expectedVersion(
  context: Context,
  servicePackage?: string,
): Promise<string | undefined> {
  const text = context.flags['backend-version'];
  if (text === undefined) return undefined;
  const wish = parseVersionWish(String(text), '--backend-version');
  if (wish.kind === 'exact') return wish.version;
  return (await resolver(context)(servicePackage)).version;
}
