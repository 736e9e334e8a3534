import { readReleases } from '../../render/services';
import { ago, table } from '../../ui/text';
import type { Command } from '../command';
import { optionsOf, renderHelp, servicesOf } from './flags';
import { sessionOf } from './session';

const help: Command['help'] = [['SERVICE', 'its name or id'], ...renderHelp];

export const command: Command = {
  usage: 'bootlace releases SERVICE',
  help,
  options: optionsOf(help),
  positionals: 1,
  async run(context) {
    const { report, flags, io } = context;
    const [name = ''] = servicesOf(context, 'releases');
    const session = sessionOf(context, 'releases');
    const { rows, back } = await readReleases(session, name);
    const head = ['DEPLOY', 'WHEN', 'BY', 'STATUS', 'VERSION', 'PROVEN', 'SOURCE'];
    const cells = rows.map(row => [
      row.deploy,
      row.at === undefined ? '?' : ago(io.now() - Date.parse(row.at)),
      row.by,
      row.status,
      row.version ?? '-',
      row.isProven ? 'proven' : '-',
      row.source ?? '-',
    ]);
    for (const line of table([head, ...cells])) report.line(line);
    if (back !== undefined) report.line(`to go back to ${back}: ${session.line('rollback', {})}`);
    if (flags.json) report.json({ ok: true, releases: rows, warnings: report.warnings });
    return 0;
  },
};
