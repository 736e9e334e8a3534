import { UsageError } from '../errors';
import type { ServiceResult } from '../render/result';
import { rollbackServices } from '../render/rollback';
import { settingFlags } from '../settings/definitions';
import type { Command } from './command';
import {
  envKeyOf,
  openDeploySession,
  proofHelp,
  proofOptions,
  readProofWish,
  resolver,
  servicesOf,
} from './render-command';
import { reported } from './render-report';

export const command: Command = {
  usage: 'bootlace rollback SERVICE... [--to VERSION]',
  help: [
    ['SERVICE', 'names or ids'],
    ['--to VERSION', 'in place of the last proven one before the current'],
    ['--hold', 'switch autodeploy off'],
    ['--env-key NAME', "the pin's variable (BACKEND_VERSION)"],
    ['--timeout MINUTES', 'for the deploy to be live (165)'],
    ...proofHelp,
  ],
  options: {
    ...settingFlags,
    ...proofOptions,
    to: { type: 'string' },
    hold: { type: 'boolean' },
    'env-key': { type: 'string' },
    timeout: { type: 'string' },
  },
  positionals: -1,
  async run(context) {
    const { flags } = context;
    const to =
      flags.to === undefined
        ? undefined
        : String(flags.to)
            .trim()
            .replace(/^v(?=\d)/, '');
    const services = servicesOf(context, 'rollback');
    if (to !== undefined && !/^(\d+\.\d+\.\d+[\w.+-]*|dep-\w+)$/.test(to))
      throw new UsageError('TO_INVALID', '--to is no exact version', {
        fix: 'pass a version such as --to 1.2.3',
      });
    const session = openDeploySession(context);
    const results: ServiceResult[] = [];
    return reported(context, 'Rollback', results, () =>
      rollbackServices(
        session,
        {
          services,
          envKey: envKeyOf(context),
          to,
          proof: readProofWish(context),
          hold: flags.hold === true,
          resolve: resolver(context),
        },
        results,
      ),
    );
  },
};
