import type { Secret } from '../secret';

/**
 * Takes secrets out of text: the known values, in plain, URL-encoded and base64 form, and what
 * looks like a credential whoever put it there (signed URLs, deploy hooks, tokens by prefix).
 */
export class Redactor {
  readonly #values = new Set<string>();

  add(secret: Secret | undefined): void {
    const value = secret?.reveal();
    // Shorter ones would blank ordinary words; no registry gives such tokens.
    if (!value || value.length < 4) return;
    this.#values.add(value);
    this.#values.add(encodeURIComponent(value));
    this.#values.add(Buffer.from(value).toString('base64'));
  }

  redact = (text: string): string => {
    let clean = text;
    for (const value of this.#values) clean = clean.replaceAll(value, '***');
    return clean
      .replace(
        /([?&](?:sig|signature|key|token|x-amz-signature|x-amz-credential)=)[^&\s"']+/gi,
        '$1***',
      )
      .replace(/(_authToken|_auth|_password)(\s*[=:]\s*)(?!\$\{)[^\s"']+/g, '$1$2***')
      .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 ***')
      .replace(/\b(gh[a-z]_\w{20,}|github_pat_\w{20,}|npm_[A-Za-z0-9]{30,}|rnd_\w{20,})/g, '***')
      .replace(/(https?:\/\/)[^/\s:@]+:[^/\s@]+@/gi, '$1***@');
  };
}
