import defaults from 'npm-registry-fetch/lib/default-opts.js';

/** A reason to skip tests on real packages, or false when the npm registry answers. */
export async function withoutRegistry(): Promise<string | false> {
  try {
    const response = await fetch(new URL('is-number/7.0.0', defaults.registry), {
      signal: AbortSignal.timeout(10_000),
    });
    return response.ok ? false : `the npm registry answers ${response.status}`;
  } catch (error) {
    return `the npm registry is out of reach: ${(error as Error).message}`;
  }
}
