import { diagnose } from '../doctor/diagnose';
import { settingFlags } from '../settings/definitions';
import { fixText } from '../ui/failure-text';
import { table } from '../ui/text';
import type { Command } from './command';

export const command: Command = {
  usage: 'bootlace doctor',
  help: [],
  options: settingFlags,
  positionals: 0,
  async run(context) {
    const { flags, report } = context;
    const checks = await diagnose(context);
    const style = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
    const rows = table(
      checks.map(({ name, state, text }) => [state, name, report.withFlags(text)]),
    );
    for (const [i, row] of rows.entries()) {
      const check = checks[i];
      if (!check) continue;
      report.row(row.slice(0, 4), row.slice(4), style[check.state]);
      if (check.fix) report.line(fixText(report.withFlags(check.fix), '      '));
    }
    const failed = checks.filter(({ state }) => state === 'fail');
    if (flags.json) report.json({ ok: failed.length === 0, checks });
    return failed[0]?.exitCode ?? 0;
  },
};
