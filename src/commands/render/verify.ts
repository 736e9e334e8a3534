import { UsageError } from '../../errors';
import { joinPath } from '../../render/proof/address';
import { defaultLimits } from '../../render/session';
import { type Verified, verifyService, verifyUrl } from '../../render/verify';
import { settingFlags } from '../../settings/definitions';
import { parseVersionWish } from '../../settings/version-wish';
import type { Command, Context } from '../command';
import {
  minutes,
  parseUrl,
  proofHelp,
  proofOptions,
  readProofWish,
  renderHelp,
  renderOptions,
  resolver,
  sessionOf,
} from './render-command';

const patienceMs = 60_000;
const local = 'npx bootlace doctor';

export const command: Command = {
  usage: 'bootlace verify URL|SERVICE [--backend-version VERSION]',
  help: [
    ['URL', 'an address; needs no API key'],
    ['SERVICE', 'the name or id of a service on Render'],
    ['--backend-version V', "the version to expect (the service's exact pin)"],
    ...renderHelp,
    ...proofHelp.map(
      ([flag, text]) =>
        [flag, flag.startsWith('--patience') ? 'how long it may take (1)' : text] as const,
    ),
  ],
  options: { ...settingFlags, ...renderOptions, ...proofOptions },
  positionals: 1,
  async run(context) {
    const { flags, positionals, report, io, signal } = context;
    const [target] = positionals;
    if (!target)
      throw new UsageError('TARGET_MISSING', 'verify needs an address or the name of a service', {
        fix: `type for example: npx bootlace verify https://api.example.com/health; for the backend in this folder: ${local}`,
      });
    const wish = readProofWish(context);
    const limits = { proofMs: minutes(flags, 'patience') ?? patienceMs };
    let verified: Verified;
    if (/^https?:/i.test(target)) {
      const base = parseUrl(target, 'URL');
      if (flags['backend-version'] !== undefined && !wish.place && !wish.healthOnly)
        throw new UsageError('VERSION_NOT_SHOWN', `nothing says where ${base} shows its version`, {
          fix: 'pass --expect-json /version or --expect-header NAME, or leave --backend-version out',
        });
      const url = joinPath(base, wish.health);
      verified = await verifyUrl(
        url,
        wish.healthOnly ? undefined : wish.place,
        await expectedVersion(context),
        {
          io,
          signal,
          patienceMs: limits.proofMs,
          flag: '--patience',
          pollMs: defaultLimits.pollMs,
          say: sentence => report.progress(sentence),
        },
      );
    } else {
      const session = sessionOf(context, 'verify', { ...limits, local });
      verified = await verifyService(session, target, servicePackage =>
        expectedVersion(context, servicePackage),
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
