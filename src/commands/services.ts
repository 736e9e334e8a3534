import { openSession } from '../render/connect';
import { overviewOf } from '../render/overview';
import { lookPace } from '../render/pace';
import { table } from '../ui/text';
import type { Command } from './command';
import { envKeyOf, surroundingsOf } from './render-command';

export const command: Command = {
  usage: 'bootlace services [SERVICE...]',
  help: [
    ['SERVICE', 'names or ids; all that the key can reach by default'],
    ['--env-key NAME', "the pin's variable (BACKEND_VERSION)"],
  ],
  options: { 'env-key': { type: 'string' } },
  positionals: -1,
  async run(context) {
    const { report, flags, positionals } = context;
    const session = openSession(surroundingsOf(context), lookPace);
    const rows = await overviewOf(session, positionals, envKeyOf(context));
    const head = ['SERVICE', 'TYPE', 'PINNED', 'LIVE', 'HEALTH', 'LAST DEPLOY'];
    const cells = rows.map(row => [
      row.service,
      `${row.type} ${row.runtime}`,
      row.pinned ?? '-',
      row.live ?? row.liveDeploy ?? '-',
      row.health,
      row.lastDeploy
        ? `${row.lastDeploy.status}, ${row.lastDeploy.trigger ?? '?'}, ${row.lastDeploy.at ?? '?'}`
        : '-',
    ]);
    for (const line of table([head, ...cells])) report.line(line);
    for (const { service, unproven } of rows)
      if (unproven)
        report.warn(
          `${service}: ${unproven} was deployed and never proven; npx bootlace deploy ${service} --backend-version ${unproven} goes on, npx bootlace rollback ${service} goes back`,
        );
    if (flags.json) report.json({ ok: true, services: rows, warnings: report.warnings });
    return 0;
  },
};
