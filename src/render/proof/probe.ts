import { withTimeout } from '../api/with-timeout';
import { placeOf, readVersionAt, sameVersion, type VersionPlace } from './expect';

/** What one look at a URL found. */
export type Probe =
  | { state: 'ok'; text: string; status: number; version: string | undefined }
  /** A free service that sleeps: neither good nor bad. */
  | { state: 'waking'; text: string; status: number }
  | { state: 'unhealthy'; text: string; status: number | undefined }
  | { state: 'wrong'; text: string; status: number; version: string | undefined };

/** What an address must answer. */
interface ProbeTarget {
  readonly url: string;
  /** Only 2xx and 3xx are healthy, as for a health path; else any answer below 500 is. */
  readonly isStrict: boolean;
  /** Where the version is shown, and what is expected there. */
  readonly place?: (VersionPlace & { value: string }) | undefined;
}

const tryTimeoutMs = 10_000;
const atOnce = 5;
const longestBody = 1_000_000;

/**
 * Asks a URL once. A redirect counts as healthy, as Render's own check sees it, and is not
 * followed; no key of any kind is sent.
 */
export async function probe(
  { url, isStrict, place }: ProbeTarget,
  signal: AbortSignal,
): Promise<Probe> {
  let response: Response;
  let body: string;
  try {
    ({ response, body } = await withTimeout(tryTimeoutMs, signal, async until => {
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { 'cache-control': 'no-cache', 'user-agent': 'bootlace' },
        signal: until,
      });
      return { response, body: await textOf(response) };
    }));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const code = (error as { cause?: { code?: unknown } }).cause?.code;
    const why = typeof code === 'string' ? ` (${code})` : '';
    return { state: 'unhealthy', text: `no answer${why}`, status: undefined };
  }
  const { status } = response;
  if (isWaking(status, response.headers.get('x-render-routing') ?? '', body))
    return { state: 'waking', text: `${status}: the service is waking up`, status };
  if (status < 200 || status >= (isStrict ? 400 : 500))
    return { state: 'unhealthy', text: `it answers ${status}`, status };
  if (!place) return { state: 'ok', text: `it answers ${status}`, status, version: undefined };
  const version = readVersionAt(place, { headers: response.headers, body });
  if (version !== undefined && sameVersion(version, place.value))
    return { state: 'ok', text: `it answers ${status} and ${version}`, status, version };
  const found = version === undefined ? 'nothing' : JSON.stringify(version.slice(0, 60));
  const text = `it answers ${status}, but ${found} at ${placeOf(place)} in place of ${place.value}`;
  return { state: 'wrong', text, status, version };
}

/**
 * Asks a URL that several instances answer.
 * @returns the first answer that is not right, else one that is
 */
export async function probeOften(
  wanted: ProbeTarget,
  times: number,
  signal: AbortSignal,
): Promise<Probe> {
  for (let left = times; ; left -= atOnce) {
    const found = await Promise.all(
      Array.from({ length: Math.min(left, atOnce) }, () => probe(wanted, signal)),
    );
    const wrong = found.find(({ state }) => state !== 'ok');
    if (wrong || left <= atOnce) return wrong ?? (found[0] as Probe);
  }
}

/** How Render's router answers for a free service that sleeps or wakes. */
function isWaking(status: number, routing: string, body: string): boolean {
  if (status === 503) return /hibernate/.test(routing) || /hibernate-wake-error/.test(body);
  return status === 404 && (/no-server/.test(routing) || /no-server/.test(body.slice(0, 2000)));
}

async function textOf(response: Response): Promise<string> {
  if (!response.body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > longestBody) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
