/** A secret in a package: where it is, never what it is. */
export interface FoundSecret {
  file: string;
  /** From 1; undefined when the file as a whole should not be there. */
  line?: number;
  /** What was found, such as `an npm token`. */
  what: string;
  /** A test's or an example's: a key made for it, most often. */
  isSample: boolean;
}

/** Files that hold credentials or settings of one machine, whatever is in them. */
const files: readonly [what: string, name: RegExp][] = [
  ["npm's configuration, which holds tokens", /^\.npmrc$/],
  // .env.example and the like are documentation.
  [
    'the variables of one environment',
    /^\.env(\.(?!.*(example|sample|template|dist|defaults?)).+)?$/,
  ],
  ['credentials', /^(\.netrc|\.git-credentials|\.pgpass)$/],
  ['a key store', /\.(p12|pfx|jks|keystore)$/],
];

const samples = /(^|[/._-])(tests?|__tests__|specs?|fixtures?|examples?|mocks?)[/._-]/i;
const privateKey = 'a private key';

/**
 * Token formats with a fixed beginning and a fixed length or alphabet, so that words and hashes are
 * none. The formats are those of the issuers' documentation and of GitHub's secret scanning.
 */
const tokens: readonly [what: string, pattern: RegExp][] = [
  ['an npm token', /npm_[A-Za-z0-9]{36}/],
  ['a GitHub token', /gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{82}/],
  ['a GitLab token', /glpat-[\w-]{20,}/],
  ['a Render API key', /rnd_[A-Za-z0-9]{28,}/],
  ['a password of a Render database', /postgres(?:ql)?:\/\/[^:@/\s]+:[^@/\s]+@dpg-[a-z0-9]+-a\b/],
  ['an AWS access key', /(?:AKIA|ASIA)[A-Z2-7]{16}/],
  ['a Stripe live key', /[sr]k_live_[A-Za-z0-9]{24,}/],
  ['a Slack token', /xox[abprs]-\d{9,}-[\w-]{20,}/],
  ['a SendGrid key', /SG\.[\w-]{22}\.[\w-]{43}/],
  ['an Anthropic key', /sk-ant-[\w-]{80,}/],
  [
    privateKey,
    /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:\\r|\\n|\s)+(?:[A-Za-z0-9+/=]|\\r|\\n|\s){100,}/,
  ],
].map(([what, pattern]) => [
  what as string,
  new RegExp(`(?<![A-Za-z0-9_])(?:${(pattern as RegExp).source})(?![A-Za-z0-9])`, 'g'),
]);

/**
 * Looks for credentials in one file of a package. Narrow on purpose: a placeholder is none. Pure.
 * @param text the content, as latin1
 */
export function findSecrets(file: string, text: string): FoundSecret[] {
  const name = file.slice(file.lastIndexOf('/') + 1);
  const found: FoundSecret[] = [];
  const isSample = samples.test(file);
  for (const [what, pattern] of files) if (pattern.test(name)) found.push({ file, what, isSample });
  for (const [what, pattern] of tokens) {
    const match = [...text.matchAll(pattern)].find(([token]) => !isPlaceholder(token));
    if (match)
      found.push({
        file,
        line: text.slice(0, match.index).split('\n').length,
        what,
        isSample: isSample && what === privateKey,
      });
  }
  return found;
}

/** `npm_xxxxxxxx`, `AKIAIOSFODNN7EXAMPLE`; a whole private key is none. */
function isPlaceholder(token: string): boolean {
  if (token.startsWith('-----BEGIN')) return false;
  return /EXAMPLE|example|xxxxx|XXXXX|(.)\1{7}/.test(token) || new Set(token).size < 10;
}
