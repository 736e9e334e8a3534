import { UsageError } from '../errors';
import type { Command } from './command';

export const command: Command = {
  usage: 'bootlace exec BIN [ARGS]',
  help: [['BIN', 'a bin of the backend or of one of its dependencies']],
  options: {},
  positionals: -1,
  stopAtFirst: true,
  async run({ dir, positionals, io }) {
    const [bin, ...args] = positionals;
    if (bin === undefined)
      throw new UsageError('BIN_MISSING', 'exec needs the name of a program', {
        fix: 'type for example: npx bootlace exec prisma migrate deploy',
      });
    const { planExec } = await import('../start/exec');
    const { become } = await import('../start/become');
    const program = planExec(dir, bin, args, io);
    return { finally: () => void become(program) };
  },
};
