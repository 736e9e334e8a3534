import { BootlaceError } from '../../errors';

/** A fault of a package: a finding without the place where the package lies. */
export interface Problem {
  severity: 'error' | 'warning';
  code: string;
  /** The file of the package, `package.json` for most. */
  file: string;
  line?: number;
  /** The key in package.json, such as `dependencies.left-pad`. */
  path?: string;
  message: string;
  fix: string;
}

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
