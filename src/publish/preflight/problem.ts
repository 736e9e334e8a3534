import { BootlaceError } from '../../errors';
import type { Finding } from '../../ui/findings';

/**
 * A fault of a package: a finding whose file is below the package, `package.json` for most, and whose
 * path is a key in package.json, such as `dependencies.left-pad`.
 */
export type Problem = Omit<Finding, 'column'>;

/** A fault in package.json, at a key of it or as a whole. */
export function problem(
  severity: Problem['severity'],
  code: string,
  path: string | undefined,
  texts: Pick<Problem, 'message' | 'fix'>,
): Problem {
  return { severity, code, file: 'package.json', ...(path && { path }), ...texts };
}

/** A failure as a problem. @throws any error that is not a BootlaceError */
export function problemOf(error: unknown, fix?: string): Problem {
  if (!(error instanceof BootlaceError)) throw error;
  const { code, message, facts } = error;
  const path = typeof facts.path === 'string' ? facts.path : undefined;
  return problem('error', code, path, { message, fix: fix ?? error.fix });
}
