import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A certificate of its own for a host, and its key, both PEM.
 * @returns undefined where there is no openssl to make one
 */
export function makeCertificate(
  folder: string,
  host: string,
): { key: string; cert: string } | undefined {
  const [key, cert] = [join(folder, `${host}.key`), join(folder, `${host}.pem`)];
  const about = `-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -x509 -days 2 -subj /CN=${host} -addext subjectAltName=DNS:${host}`;
  try {
    execFileSync('openssl', ['req', ...about.split(' '), '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
