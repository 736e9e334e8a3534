import { UsageError } from '../errors';
import type { Finding } from '../ui/findings';
import type { Command, Context } from './command';

export const packageOptions: Command['options'] = { boot: { type: 'boolean' } };

export const packageHelp: Command['help'] = [
  ['DIR, TGZ or SPEC', 'a backend package: would it launch?'],
  ['--boot', 'install the package in an empty folder and start it'],
];

/** Checks a backend package. */
export async function checkPackage(
  _spec: string | undefined,
  _context: Context,
): Promise<readonly Finding[]> {
  throw new UsageError('CHECK_PACKAGE_MISSING', 'packages cannot be checked yet', {
    fix: 'name a Blueprint: npx bootlace check render.yaml',
  });
}
