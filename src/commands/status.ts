import { join } from 'node:path';
import { IntegrityError, systemCode } from '../errors';
import { lockText } from '../lock/choose';
import { type RoleSummary, type RunSummary, summarizeRuns } from '../release/describe-runs';
import { goodReleases } from '../release/history';
import { readHistory } from '../release/history-file';
import { layoutOf } from '../release/layout';
import { isWhole, readRelease } from '../release/store';
import { hashTree } from '../release/tree';
import { tryAgain } from '../setup/fall-back';
import { readActiveRelease } from '../start/active-release';
import { count, megabytes, table } from '../ui/text';
import type { Command } from './command';

export const command: Command = {
  usage: 'bootlace status [--verify]',
  help: [['--verify', 'hash the installed tree again and compare']],
  options: { verify: { type: 'boolean' } },
  positionals: 0,
  run({ dir, flags, report }) {
    const layout = layoutOf(dir);
    const { receipt, current, folder } = readActiveRelease(dir);
    const history = readHistory(layout);
    // A good release may stay on disk although newer ones pushed it off the list.
    const listed = [current.active, ...current.previous];
    const good = goodReleases(history).find(name => readRelease(layout, name) !== undefined);
    const names = [...new Set([...listed, ...(good ? [good] : [])])];
    const releases = names.map((name, i) => {
      const release = readRelease(layout, name);
      const state = i === 0 ? 'active' : 'kept';
      return {
        name,
        state,
        whole: release !== undefined && isWhole(release),
        receipt: release?.receipt,
        runs: summarizeRuns(history, name),
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
      ...(receipt.slim
        ? [
            [
              'slim',
              `left out ${count(receipt.slim.files, 'file')}, ${megabytes(receipt.slim.bytes)}`,
            ],
          ]
        : []),
      ['activated', current.activatedAt],
      ['compiled', cacheText(releases[0]?.runs)],
      ['releases', ''],
    ]))
      report.line(line);
    for (const line of table(
      releases.map(({ name, state, whole, receipt, runs }) => [
        `  ${name}`,
        whole ? state : 'broken',
        `installed ${receipt?.installedAt ?? '?'}`,
        runsText(runs),
      ]),
    ))
      report.line(line);
    for (const { name, receipt, runs } of releases) {
      if (runs?.ended) report.line(`${receipt?.version} last ended ${runs.ended}`);
      if (runs?.passedOver)
        report.line(
          `${receipt?.version} was passed over at ${runs.passedOver.at}: ${runs.passedOver.why}; ${tryAgain(receipt?.version ?? name)}`,
        );
    }
    const verified = flags.verify ? verify(folder, receipt.tree.sha256) : undefined;
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
        releases: releases.map(({ name, state, whole, receipt, runs }) => ({
          name,
          state,
          whole,
          version: receipt?.version,
          installedAt: receipt?.installedAt,
          runs,
        })),
        ...(verified && { verified }),
      });
    return 0;
  },
};

function runsText(runs: RunSummary | undefined): string {
  if (!runs) return 'never started';
  const roles = Object.entries(runs.roles ?? {});
  if (roles.length)
    return roles.map(([role, own]) => `${role || 'no role'}: ${countsText(own)}`).join('; ');
  return countsText(runs);
}

function countsText(runs: RoleSummary): string {
  const good = runs.goodAt ? `good ${runs.goodAt}` : 'not proven good';
  const failing = runs.failures ? `, ${count(runs.failures, 'early end')} in a row` : '';
  return `${count(runs.starts, 'start')}, ${good}${failing}`;
}

/** Whether the last start found compiled code. */
function cacheText(runs: RunSummary | undefined): string {
  const texts: Record<string, string> = {
    warm: 'hit: the last start used compiled code',
    cold: 'miss: there was no compiled code for that Node',
    off: 'no: setup --warm keeps compiled code, from Node 22.1 on',
  };
  return texts[runs?.last.cache ?? ''] ?? 'not started yet';
}

function verify(folder: string, expected: string): true {
  const sha256 = hashOf(folder);
  if (sha256 === expected) return true;
  throw new IntegrityError(
    'TREE_CHANGED',
    'the installed files are not those that setup installed',
    {
      fix: `remove ${folder} and run: npx bootlace setup`,
      facts: { expected, found: sha256 },
    },
  );
}

function hashOf(folder: string): string {
  try {
    return hashTree(join(folder, 'node_modules')).sha256;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new IntegrityError('TREE_UNREADABLE', `the installed files cannot be read (${code})`, {
      fix: `run as the owner of ${folder}, or remove it and run: npx bootlace setup`,
    });
  }
}
