import { join } from 'node:path';
import type { Command } from './command';

export const command: Command = {
  usage: 'bootlace start [ROLE] [-- ARGS]',
  help: [['ROLE', "one of the processes that the backend's package.json names"]],
  options: {},
  positionals: 1,
  takesRest: true,
  async run({ dir, dist, rest, positionals: [role] }) {
    const { prepareLaunch } = await import('../start/launch');
    const launcher = { file: join(dist, 'launcher.js'), isModule: false };
    return { finally: prepareLaunch({ dir, args: rest, role }, launcher) };
  },
};
