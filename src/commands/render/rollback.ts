import { UsageError } from '../../errors';
import type { ServiceResult } from '../../render/move/progress';
import { rollbackServices } from '../../render/move/rollback';
import { settingFlags } from '../../settings/definitions';
import type { Command } from '../command';
import { optionsOf, proofHelp, refuseVersions, renderHelp, servicesOf, textOf } from './flags';
import { reported } from './render-report';
import { sessionOf } from './session';

const local = 'npx bootlace use previous';

const help: Command['help'] = [
  ['SERVICE', 'names or ids'],
  [
    '--to VERSION|DEPLOY',
    'in place of the last proven one; npx bootlace releases SERVICE lists them',
  ],
  ['--hold', 'switch autodeploy off'],
  ['--steal', 'go back although another run may be at work'],
  ...renderHelp,
  ['--timeout MINUTES', 'for the deploy to be live (30)'],
  ...proofHelp,
];

export const command: Command = {
  usage: 'bootlace rollback SERVICE... [--to VERSION]',
  help,
  options: { ...settingFlags, ...optionsOf(help) },
  positionals: -1,
  async run(context) {
    const { flags } = context;
    const to = textOf(flags.to)
      ?.trim()
      .replace(/^v(?=\d)/, '');
    const services = servicesOf(context, 'rollback', local);
    if (to !== undefined && !/^(\d+\.\d+\.\d+[\w.+-]*|dep-\w+)$/.test(to))
      throw new UsageError(
        'TO_INVALID',
        '--to is neither an exact version nor the id of a deploy',
        { fix: 'pass a version such as --to 1.2.3' },
      );
    const session = sessionOf(context, 'rollback', { local });
    refuseVersions(session, services);
    const results: ServiceResult[] = [];
    return reported(context, 'Rollback', results, onBegin =>
      rollbackServices(
        session,
        {
          services,
          to,
          hold: flags.hold === true,
          onBegin,
        },
        results,
      ),
    );
  },
};
