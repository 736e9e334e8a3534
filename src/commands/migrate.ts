import type { Command } from './command';

export const command: Command = {
  usage: 'bootlace migrate [-- ARGS]',
  help: [['ARGS', "are added to the migrate command of the backend's package.json"]],
  options: {},
  positionals: 0,
  takesRest: true,
  async run({ dir, rest, io, report, flags }) {
    const { planMigrate } = await import('../start/exec');
    const { become } = await import('../start/become');
    const program = planMigrate(dir, rest, io);
    if (program) return { finally: () => void become(program) };
    report.line('the backend names no migrate command: nothing to do');
    if (flags.json) report.json({ ok: true, ran: false });
    return 0;
  },
};
