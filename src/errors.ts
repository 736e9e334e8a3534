/** What an expected failure carries besides its sentence. */
export interface FailureDetails {
  /** The next thing to type or to change. */
  fix: string;
  /** Plain values for --json and for the lines under the sentence. Never a secret. */
  facts?: Record<string, unknown>;
  cause?: unknown;
}

/**
 * An expected failure: a stable code, a sentence, facts and the fix. Anything thrown that is not
 * one of these is a bug in bootlace. The exit code belongs to the family (see README, Exit codes).
 */
export abstract class BootlaceError extends Error {
  abstract readonly exitCode: number;
  readonly fix: string;
  readonly facts: Record<string, unknown>;

  constructor(
    readonly code: string,
    message: string,
    details: FailureDetails,
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.fix = details.fix;
    this.facts = details.facts ?? {};
  }
}

/** The command line is wrong. */
export class UsageError extends BootlaceError {
  readonly exitCode = 2;
}
/** A setting, or a file that holds settings, is missing or wrong. */
export class SettingError extends BootlaceError {
  readonly exitCode = 3;
}
/** Not authenticated or not authorised. */
export class AuthError extends BootlaceError {
  readonly exitCode = 4;
}
/** A package, version, entry, release or service does not exist. */
export class NotFoundError extends BootlaceError {
  readonly exitCode = 5;
}
/** Bytes are not what their integrity says, or an archive is hostile. */
export class IntegrityError extends BootlaceError {
  readonly exitCode = 6;
}
/** A registry or API is out of reach or does not answer as one. */
export class NetworkError extends BootlaceError {
  readonly exitCode = 7;
}
/** The install could not be completed on this host. */
export class InstallError extends BootlaceError {
  readonly exitCode = 8;
}
/** A deploy failed or the service is not healthy. */
export class DeployError extends BootlaceError {
  readonly exitCode = 9;
}

/** A system error's code such as ENOENT, or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : undefined;
}
