import { relative } from 'node:path';
import { lockText } from '../lock/choose';
import { type Definition, definitions, settingFlags } from '../settings/definitions';
import { shellWord } from '../settings/words';
import { applySetup, type SetupResult } from '../setup/apply';
import type { SetupPlan } from '../setup/plan';
import { prepareSetup } from '../setup/prepare';
import { count, leftOut, megabytes, seconds as secondsOf } from '../ui/text';
import type { Command, Context } from './command';

export const setupOptions: Command['options'] = {
  ...settingFlags,
  from: { type: 'string' },
  'server-file': { type: 'string' },
  'wait-for': { type: 'string' },
  'ignore-engines': { type: 'boolean' },
  lock: { type: 'string' },
  'save-lock': { type: 'string' },
};

export const setupHelp: Command['help'] = [
  ['--from DIR|TGZ', 'install a local build instead of the registry'],
  ['--server-file NAME', 'write this file when server.js is taken'],
  ['--wait-for MINUTES', 'wait for a version that was just published'],
  ['--ignore-engines', 'install although engines.node does not fit'],
  ['--lock FILE', 'install exactly what this lock says'],
  ['--save-lock FILE', 'write the lock of what is installed, to be committed'],
  ...Object.values(definitions as Record<string, Definition>).map(
    ({ flag, env, help, switch: isSwitch }) =>
      [isSwitch ? `--${flag}` : `--${flag} VALUE`, `${help}; or ${env}`] as const,
  ),
];

export const command: Command = {
  usage: 'bootlace setup [--dry-run]',
  help: [['--dry-run', 'print the plan and change nothing'], ...setupHelp],
  options: {
    ...setupOptions,
    'dry-run': { type: 'boolean' },
  },
  positionals: 0,
  async run(context) {
    const { report, flags, io } = context;
    if (flags['dry-run']) {
      const { describePlan } = await import('../setup/describe');
      const { json, lines } = await describePlan(await prepareSetup(context), context);
      for (const line of lines) report.line(line);
      if (flags.json) report.json({ ok: true, ...json });
      return 0;
    }
    const begun = io.now();
    const plan = await prepareSetup(context);
    const result = await applySetup(plan, context);
    const json = reportSetup(plan, result, context, io.now() - begun);
    const folder = relative(io.cwd, context.dir);
    const cd = folder && `cd ${shellWord(folder)} && `;
    report.line(`start it: ${cd}node ${plan.serverFile}`, 'bold');
    if (flags.json) report.json(json);
    return 0;
  },
};

/** Prints what setup did; returns the same for --json. */
export function reportSetup(
  plan: SetupPlan,
  result: SetupResult,
  { report }: Context,
  ms: number,
): Record<string, unknown> {
  const { release, wanted, start, reused } = result;
  const { receipt } = release;
  const where = 'registry' in receipt.source ? `, ${receipt.source.registry}` : '';
  report.line(`${receipt.package} ${receipt.version} (${wanted.why}${where})`, 'green');
  const { files, bytes, paths } = receipt.tree;
  report.line(
    reused
      ? `already on disk, nothing to install (${secondsOf(ms)})`
      : `installed ${count(paths.length, 'package')}, ${count(files, 'file')}, ${megabytes(bytes)} in ${secondsOf(ms)}`,
  );
  if (receipt.slim) report.line(`slim: ${leftOut(receipt.slim)}`);
  report.line(`tree: ${lockText(receipt.lock)}`);
  const { saveLock } = plan;
  if (saveLock !== undefined)
    report.line(
      result.changed.includes(saveLock)
        ? `wrote that lock to ${saveLock}`
        : `${saveLock} holds that lock already`,
    );
  report.line(`starts ${start.entry.file} (${start.entry.why})`);
  if (start.entry.unused.length)
    report.line(`  also there: ${start.entry.unused.join(', ')}; BACKEND_ENTRY chooses`);
  return {
    ok: true,
    package: receipt.package,
    version: receipt.version,
    wanted,
    release: release.name,
    reused,
    packages: paths.length,
    files,
    bytes,
    seconds: ms / 1000,
    lock: receipt.lock,
    installer: receipt.installer,
    slim: receipt.slim,
    entry: start.entry.file,
    entryRule: start.entry.why,
    serverFile: plan.serverFile,
    changed: result.changed,
    warnings: report.warnings,
  };
}
