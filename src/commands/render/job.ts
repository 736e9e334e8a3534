import { UsageError } from '../../errors';
import { runJob } from '../../render/job';
import { findService } from '../../render/session';
import { shellWord } from '../../settings/words';
import type { Command } from '../command';
import { optionsOf } from './flags';
import { sessionOf } from './session';

const help: Command['help'] = [
  ['SERVICE', 'the job runs its newest build, with its variables'],
  ['COMMAND', 'one word for the shell: quote it; or pass its words after --'],
  ['--timeout MINUTES', 'for the job to end (30)'],
  ['--workspace NAME', 'id or name, where a name is in several (RENDER_WORKSPACE)'],
];

export const command: Command = {
  usage: "bootlace job SERVICE 'COMMAND'",
  help,
  options: optionsOf(help),
  positionals: 2,
  takesRest: true,
  async run(context) {
    const { positionals, rest, report, flags } = context;
    const [name, typed] = positionals;
    const command = typed ?? rest.map(shellWord).join(' ');
    if (!name || !command.trim())
      throw new UsageError('COMMAND_MISSING', 'job needs a service and a command', {
        fix: "type for example: npx bootlace job api 'npx bootlace migrate'",
      });
    const session = sessionOf(context, 'job');
    const service = await findService(session, name);
    const { id: job, status } = await runJob(session, service, command);
    report.line(`${service.name}: ${job} ${status}: ${command}`);
    const result = { service: service.name, job, command, status };
    if (flags.json) report.json({ ok: true, ...result, warnings: report.warnings });
    return 0;
  },
};
