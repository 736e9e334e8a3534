import { UsageError } from '../errors';
import type { Finding } from '../ui/findings';
import type { Context } from './command';

/** Checks a backend package. */
export async function checkPackage(
  _spec: string | undefined,
  _context: Context,
): Promise<readonly Finding[]> {
  throw new UsageError('CHECK_PACKAGE_MISSING', 'packages cannot be checked yet', {
    fix: 'name a Blueprint: npx bootlace check render.yaml',
  });
}
