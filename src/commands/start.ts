import type { Command } from './command';

export const command: Command = {
  usage: 'bootlace start [ROLE] [-- ARGS]',
  help: [['ROLE', "one of the processes that the backend's package.json names"]],
  options: {},
  positionals: 1,
  takesRest: true,
  async run({ dir, rest, positionals: [role] }) {
    const { prepareLaunch } = await import('../start/launch');
    return { finally: prepareLaunch(dir, rest, role) };
  },
};
