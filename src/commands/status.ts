import { join, relative } from 'node:path';
import { IntegrityError, systemCode } from '../errors';
import { lockText } from '../lock/choose';
import { layoutOf } from '../release/layout';
import { setupAgain } from '../release/receipt';
import { isWhole, readRelease } from '../release/store';
import { findChanges, hashTree, type TreeSummary } from '../release/tree';
import { shellWord } from '../settings/words';
import { type ActiveRelease, readActiveRelease } from '../start/active-release';
import { ago, count, leftOut, megabytes, table } from '../ui/text';
import type { Command } from './command';

export const command: Command = {
  usage: 'bootlace status [--verify]',
  help: [['--verify', 'hash the installed tree again and compare']],
  options: { verify: { type: 'boolean' } },
  positionals: 0,
  run({ dir, flags, io, report }) {
    const layout = layoutOf(dir);
    const { receipt, current, folder } = readActiveRelease(dir);
    const releases = [current.active, ...current.previous].map((name, i) => {
      const release = readRelease(layout, name);
      return {
        name,
        state: i === 0 ? 'active' : 'kept',
        whole: release !== undefined && isWhole(release),
        version: release?.receipt.version,
        installedAt: release?.receipt.installedAt,
      };
    });
    const { wanted, start } = current;
    const source = 'registry' in receipt.source ? receipt.source.registry : receipt.source.path;
    for (const line of table([
      ['package', `${receipt.package} ${receipt.version}`],
      ['because', `${wanted.text} (${wanted.from}): ${wanted.why}`],
      ['from', source],
      ['starts', `${start.entry.file} (${start.entry.why})`],
      [
        'tree',
        `${count(receipt.tree.paths.length, 'package')}, ${count(receipt.tree.files, 'file')}, ${megabytes(receipt.tree.bytes)}`,
      ],
      ['lock', lockText(receipt.lock)],
      ...(receipt.slim ? [['slim', leftOut(receipt.slim)]] : []),
      ['activated', ago(io.now() - Date.parse(current.activatedAt))],
      ['releases', ''],
    ]))
      report.line(line);
    for (const line of table(
      releases.map(({ name, state, whole, installedAt }) => [
        `  ${name}`,
        whole ? state : 'broken',
        installedAt ? `installed ${ago(io.now() - Date.parse(installedAt))}` : '',
      ]),
    ))
      report.line(line);
    const verified = flags.verify ? verify(io.cwd, { current, receipt, folder }) : undefined;
    if (verified) report.line('verified: every file is as it was installed');
    if (flags.json)
      report.json({
        ok: true,
        package: receipt.package,
        version: receipt.version,
        integrity: receipt.integrity,
        source: receipt.source,
        lock: receipt.lock,
        installer: receipt.installer,
        slim: receipt.slim,
        wanted,
        entry: start.entry.file,
        entryRule: start.entry.why,
        activatedAt: current.activatedAt,
        releases,
        ...(verified && { verified }),
      });
    return 0;
  },
};

function verify(
  cwd: string,
  { current, receipt, folder }: Pick<ActiveRelease, 'current' | 'receipt' | 'folder'>,
): true {
  // Not the folder: its lock holds the versions that npm chose.
  const place = shellWord(relative(cwd, join(folder, 'node_modules')));
  const fix = `rm -r ${place} && ${setupAgain(current)}`;
  const found = hashOf(folder, fix);
  if (found.sha256 === receipt.tree.sha256) return true;
  const installed = receipt.tree.packages ?? {};
  const changes = findChanges(folder, installed, found.packages, Date.parse(receipt.installedAt));
  throw new IntegrityError(
    'TREE_CHANGED',
    'the installed files are not those that setup installed',
    { fix, facts: { changed: changes.slice(0, 10).join(', '), of: changes.length, changes } },
  );
}

function hashOf(folder: string, fix: string): TreeSummary {
  try {
    return hashTree(join(folder, 'node_modules'));
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new IntegrityError('TREE_UNREADABLE', `the installed files cannot be read (${code})`, {
      fix: `run as the owner of ${folder}, or type: ${fix}`,
    });
  }
}
