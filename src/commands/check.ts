import { reportFindings } from '../ui/findings';
import { checkPackage, packageHelp, packageOptions } from './check-package';
import type { Command } from './command';

export const command: Command = {
  usage: 'bootlace check [DIR|TGZ|SPEC] [--boot]',
  help: [...packageHelp, ['--strict', 'fail on warnings, too']],
  options: { ...packageOptions, strict: { type: 'boolean' } },
  positionals: 1,
  async run(context) {
    const findings = await checkPackage(context.positionals[0], context);
    return reportFindings(findings, context, context.flags.strict === true);
  },
};
