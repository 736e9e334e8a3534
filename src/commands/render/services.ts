import { listPace } from '../../render/api/request';
import { readServices, type ServiceRow } from '../../render/services';
import { ago, table } from '../../ui/text';
import type { Command } from '../command';
import { optionsOf, renderHelp } from './flags';
import { sessionOf } from './session';

const help: Command['help'] = [
  ['SERVICE', 'names or ids; all that the key can reach by default'],
  ...renderHelp,
];

export const command: Command = {
  usage: 'bootlace services [SERVICE...]',
  help,
  options: optionsOf(help),
  positionals: -1,
  async run(context) {
    const { report, flags, positionals, io } = context;
    const session = sessionOf(context, 'services', { readsAMinute: listPace });
    const rows = await readServices(session, positionals);
    const head = ['SERVICE', 'TYPE', 'PINNED', 'LIVE', 'HEALTH', 'LAST DEPLOY', 'ID', 'OWNER'];
    const cells = rows.map(row => [
      row.service,
      row.type,
      row.pinned ?? '-',
      row.live ?? (row.pinned === undefined ? row.source : undefined) ?? row.liveDeploy ?? '-',
      row.health,
      lastDeployText(row, io.now()),
      row.id,
      row.owner,
    ]);
    for (const line of table([head, ...cells])) report.line(line);
    const { line } = session;
    for (const { service, unproven, differs, pinned, live } of rows) {
      const services = [service];
      if (unproven)
        report.warn(
          `${service}: ${unproven} was deployed and never proven; ${line('deploy', { services, version: unproven })} goes on, ${line('rollback', { services })} goes back`,
        );
      else if (differs)
        report.warn(
          `${service}: pinned is ${pinned}, live is ${live}: the next deploy brings ${pinned}; ${line('deploy', { services, version: live })} pins what is live`,
        );
    }
    if (flags.json) report.json({ ok: true, services: rows, warnings: report.warnings });
    return 0;
  },
};

function lastDeployText({ lastDeploy }: ServiceRow, now: number): string {
  if (!lastDeploy) return '-';
  const { status, trigger, at } = lastDeploy;
  return `${status}, ${trigger}, ${at === undefined ? '?' : ago(now - Date.parse(at))}`;
}
