import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { searchFiles } from './snapshot';

/** The variables whose values must show nowhere, in whatever run they are given to. */
const secretVariables = ['NPM_TOKEN', 'RENDER_API_KEY', 'NODE_AUTH_TOKEN', 'ACME'];

/**
 * Watches a run for secrets: the command lines of the process and of all its descendants while it
 * runs, then its output and every file of its folder.
 */
export function watchForLeaks(
  pid: number | undefined,
  cwd: string,
  env: Record<string, string | undefined> = {},
) {
  const secrets = secretVariables.flatMap(name => {
    const value = env[name]?.trim();
    return value && value.length >= 8 ? [value] : [];
  });
  const lines = new Set<string>();
  const sample = () => {
    if (pid !== undefined) for (const line of commandLines(pid)) lines.add(line);
  };
  const timer = secrets.length && pid !== undefined ? setInterval(sample, 25) : undefined;
  return {
    /** Ends the watch and fails on the first secret found. */
    end(output: string): void {
      clearInterval(timer);
      for (const secret of secrets) {
        const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
        for (const form of forms) {
          assert.equal(output.includes(form), false, 'a secret is in the output');
          assert.deepEqual(searchFiles(cwd, form), ownFiles(cwd, form), 'a secret is in a file');
          for (const line of lines)
            assert.equal(line.includes(form), false, 'a secret is on a command line');
        }
      }
    },
  };
}

/** The test itself may have put the secret into the user's .env: that file is theirs. */
function ownFiles(cwd: string, form: string): string[] {
  return searchFiles(cwd, form).filter(path => path === '.env' || path.endsWith('/.env'));
}

function commandLines(pid: number): string[] {
  const lines: string[] = [];
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    try {
      lines.push(readFileSync(`/proc/${next}/cmdline`, 'utf8'));
      for (const task of readdirSync(`/proc/${next}/task`))
        for (const child of readFileSync(`/proc/${next}/task/${task}/children`, 'utf8')
          .trim()
          .split(' '))
          if (child) queue.push(Number(child));
    } catch {}
  }
  return lines;
}
