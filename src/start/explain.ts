import { existsSync } from 'node:fs';
import type { Receipt } from '../release/receipt';
import { atExit } from './at-exit';
import type { Entry } from './entry';
import { say } from './say';

const atOnceSeconds = 3;

/**
 * Says what to do when the backend cannot load a module, or ends at once although something else
 * in its package looks like the server. Watches only: Node's own message, code and end stay.
 */
export function explainFailures(receipt: Receipt, entry: Entry): void {
  process.on('uncaughtExceptionMonitor', error => {
    try {
      const advice = adviceFor(error, receipt);
      if (advice) say(`bootlace: ${advice}\n`);
    } catch {
      // Whatever was thrown is Node's to report.
    }
  });
  if (entry.unused.length === 0) return;
  const begun = process.uptime();
  atExit(code => {
    if (code !== 0 || process.uptime() - begun > atOnceSeconds) return;
    const one = entry.unused[0] as string;
    const bin = /^the bin (.+)$/.exec(one)?.[1];
    say(
      `bootlace: the backend ended at once with 0. ${entry.file} (${entry.why}) may be a library; ` +
        `${receipt.package} also has ${entry.unused.join(', ')}.\n` +
        `  fix: set BACKEND_ENTRY${bin ? `=${bin}` : " to the server's file"} and run: npx bootlace setup\n`,
    );
  });
}

/** What bindings, node-gyp-build, node-pre-gyp and require itself say when nothing was built. */
const noBuild =
  /locate the bindings file|No native build was found|Cannot find module '[^']*\.node'|Could not load the .* module using the/;

/** The package whose native code a message names by its path; undefined for the backend's own. */
function nativeIn(message: string, backend: string): string | undefined {
  const path = /\S*node_modules[\\/]\S+/.exec(message)?.[0] ?? '';
  const name = /.*node_modules[\\/]((?:@[\w.-]+[\\/])?[\w.-]+)/.exec(path)?.[1];
  return name === backend ? undefined : name?.replace('\\', '/');
}

/**
 * Advice for a module that does not load or a port that is taken; undefined for every other error.
 * @returns a code, a sentence and the fix
 */
export function adviceFor(
  error: unknown,
  receipt: Pick<Receipt, 'package' | 'version' | 'node' | 'host'>,
): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  const here = `Node ${process.versions.node}, ${process.platform}-${process.arch}`;
  if (code === 'EADDRINUSE')
    return `PORT_TAKEN: ${port === undefined ? 'the address' : `port ${port}`} is in use by another process\n  fix: set PORT to a free one, or stop the process that listens there`;
  const native = nativeIn(error.message, receipt.package);
  if (/NODE_MODULE_VERSION \d+/.test(error.message))
    return receipt.host.abi === process.versions.modules
      ? `NATIVE_ABI: ${native ?? 'a native module'} brings code for another Node than this one (${here})\n  fix: ${native ? `let it be built here: set BACKEND_SCRIPTS=${native} and run: npx bootlace setup` : 'publish the backend with a build for this Node'}`
      : `NATIVE_ABI: ${native ?? 'a native module'} was built for another Node than this one (${here}; installed under Node ${receipt.node})\n  fix: run npx bootlace setup again with the Node that starts the backend`;
  if (code === 'ERR_DLOPEN_FAILED' || noBuild.test(error.message))
    return `NATIVE_MODULE: ${native ?? 'a native module'} does not load on this host (${here})\n  fix: set BACKEND_SCRIPTS${native ? `=${native}` : ' to the package that builds it'} and run: npx bootlace setup`;
  const name = /Cannot find (?:module|package) '([^']+)'/.exec(error.message)?.[1];
  // An import without its extension: the file is in the package.
  if (
    code === 'ERR_MODULE_NOT_FOUND' &&
    name &&
    [`${name}.js`, `${name}.cjs`, `${name}/index.js`].some(existsSync)
  )
    return undefined;
  const who = `${receipt.package}@${receipt.version}`;
  if ((code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') && name)
    return /^[./\\]|^[a-z]:/i.test(name)
      ? `FILE_MISSING: ${who} does not hold ${name}\n  fix: build before you publish, list the folder in "files", publish again`
      : `DEPENDENCY_MISSING: ${who} needs ${name}, which is not among its dependencies\n  fix: move ${name} to "dependencies" in the backend's package.json and publish again`;
  return undefined;
}
