import type { Receipt } from '../release/receipt';
import { say } from './say';

/** Adds advice to Node's own report of a module that does not load. The end stays Node's. */
export function explainFailures(receipt: Receipt): void {
  process.on('uncaughtExceptionMonitor', error => {
    const advice = adviceFor(error, receipt);
    if (advice) say(`bootlace: ${advice}\n`);
  });
}

/** What bindings, node-gyp-build, node-pre-gyp and require say when nothing was built. */
const noBuild =
  /locate the bindings file|No native build was found|Cannot find module '[^']*\.node'|Could not load the .* module using the/;

/** @returns a code, a sentence and the fix; undefined for every other error */
export function adviceFor(
  error: unknown,
  { package: own, version, node, host }: Pick<Receipt, 'package' | 'version' | 'node' | 'host'>,
): string | undefined {
  if (!(error instanceof Error) || typeof error.message !== 'string') return undefined;
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_DLOPEN_FAILED' || noBuild.test(message)) {
    const path = /\S*node_modules[\\/]\S+/.exec(message)?.[0] ?? '';
    const name = /.*node_modules[\\/]((?:@[\w.-]+[\\/])?[\w.-]+)/.exec(path)?.[1];
    const native = name === own ? undefined : name;
    const head = `NATIVE_MODULE: ${native ?? 'a native module'} does not load under Node ${process.versions.node}, ${process.platform}-${process.arch}`;
    return host.abi === process.versions.modules
      ? `${head}\n  fix: set BACKEND_SCRIPTS=${native ?? 'PACKAGE, the package that builds it,'} and run: npx bootlace setup`
      : `${head}; it was installed under Node ${node}\n  fix: run npx bootlace setup with the Node that starts the backend`;
  }
  const name = /Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1];
  if (!name || (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND')) return undefined;
  return /^[./\\]|^[a-z]:/i.test(name)
    ? `FILE_MISSING: ${own}@${version} does not hold ${name}\n  fix: build before you publish, list the folder in "files", publish again`
    : `DEPENDENCY_MISSING: ${own}@${version} needs ${name}, which is not among its dependencies\n  fix: move ${name} to "dependencies" in the backend's package.json and publish again`;
}
