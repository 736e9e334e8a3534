import { UsageError } from '../../errors';
import { joinPath } from '../../render/proof/address';
import { type Verified, verifyService, verifyUrl } from '../../render/verify';
import { settingFlags } from '../../settings/definitions';
import { parseVersionWish } from '../../settings/version-wish';
import type { Command, Context } from '../command';
import { minutes, optionsOf, parseUrl, proofHelp, readProofWish, renderHelp } from './flags';
import { resolver } from './resolve';
import { sessionOf } from './session';

const patienceMs = 60_000;
const local = 'npx bootlace doctor';

const help: Command['help'] = [
  ['URL', 'an address; needs no API key'],
  ['SERVICE', 'the name or id of a service on Render'],
  ['--backend-version V', "the version to expect (the service's exact pin)"],
  ...renderHelp,
  ...proofHelp.map(
    ([flag, text]) =>
      [flag, flag.startsWith('--patience') ? 'how long it may take (1)' : text] as const,
  ),
];

export const command: Command = {
  usage: 'bootlace verify URL|SERVICE [--backend-version VERSION]',
  help,
  options: { ...settingFlags, ...optionsOf(help) },
  positionals: 1,
  async run(context) {
    const { flags, positionals, report, io, signal } = context;
    const [target] = positionals;
    if (!target)
      throw new UsageError('TARGET_MISSING', 'verify needs an address or the name of a service', {
        fix: `type for example: npx bootlace verify https://api.example.com/health; for the backend in this folder: ${local}`,
      });
    let verified: Verified;
    if (/^https?:/i.test(target)) {
      const { place, healthOnly, health } = readProofWish(context);
      const base = parseUrl(target, 'URL');
      if (flags['backend-version'] !== undefined && !place && !healthOnly)
        throw new UsageError('VERSION_NOT_SHOWN', `nothing says where ${base} shows its version`, {
          fix: 'pass --expect-json /version or --expect-header NAME, or leave --backend-version out',
        });
      const value = place?.value ?? (await expectedVersion(context));
      verified = await verifyUrl(joinPath(base, health), place && { ...place, value }, {
        io,
        signal,
        patienceMs: minutes(flags, 'patience') ?? patienceMs,
        flag: '--patience',
        say: sentence => report.progress(sentence),
      });
    } else {
      const session = sessionOf(context, 'verify', { proofMs: patienceMs, local });
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
