import { UsageError } from '../errors';
import { deployServices } from '../render/deploy';
import type { ServiceResult } from '../render/result';
import { settingFlags } from '../settings/definitions';
import { loadSources } from '../settings/load';
import { collectSettings } from '../settings/settings';
import type { Command, Context } from './command';
import { deployByHook } from './deploy-by-hook';
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
  usage: 'bootlace deploy SERVICE... [--backend-version VERSION]',
  help: [
    ['SERVICE', 'names or ids; each is proven before the next begins'],
    ['--backend-version V', 'exact version, range or dist-tag (latest)'],
    ['--env-key NAME', "the pin's variable (BACKEND_VERSION)"],
    ['--no-pin', 'leave the pin as it is and deploy what it stands for, such as latest'],
    ['--force', 'deploy although the version is live already'],
    ['--clear-cache', "clear Render's build cache first"],
    ['--commit SHA, --image URL', 'for services that no variable pins'],
    ['--logs', 'show the build log as it comes'],
    ['--timeout MINUTES', 'for the deploy to be live (165)'],
    ['--wait-for MINUTES', 'wait for a version that was just published'],
    ...proofHelp,
    ['--no-undo', 'leave a failed deploy as it is'],
    ['--hold, --release-hold', 'switch autodeploy off, or on again, once proven'],
    [
      '--hook URL',
      'without an API key: trigger this deploy hook (or RENDER_DEPLOY_HOOK), prove --url',
    ],
  ],
  options: {
    ...settingFlags,
    ...proofOptions,
    'env-key': { type: 'string' },
    'no-pin': { type: 'boolean' },
    force: { type: 'boolean' },
    'clear-cache': { type: 'boolean' },
    commit: { type: 'string' },
    image: { type: 'string' },
    logs: { type: 'boolean' },
    timeout: { type: 'string' },
    'wait-for': { type: 'string' },
    'no-undo': { type: 'boolean' },
    hold: { type: 'boolean' },
    'release-hold': { type: 'boolean' },
    hook: { type: 'string' },
  },
  positionals: -1,
  async run(context) {
    const { flags, positionals } = context;
    if (flags.hold && flags['release-hold'])
      throw new UsageError('HOLD_INVALID', '--hold and --release-hold exclude each other', {
        fix: 'pass one of them',
      });
    const hook = textOf(flags.hook) ?? (positionals.length ? undefined : hookOf(context));
    if (hook !== undefined) return deployByHook(context, hook);
    if (flags['no-pin'] && flags['backend-version'] !== undefined)
      throw new UsageError('PIN_INVALID', '--no-pin and --backend-version exclude each other', {
        fix: 'pass one of them',
      });
    const services = servicesOf(context, 'deploy');
    const session = openDeploySession(context);
    const results: ServiceResult[] = [];
    return reported(context, 'Deploy', results, () =>
      deployServices(
        session,
        {
          services,
          envKey: envKeyOf(context),
          wish: {
            clearCache: flags['clear-cache'] === true,
            commit: textOf(flags.commit),
            image: textOf(flags.image),
            force: flags.force === true,
            keepPin: flags['no-pin'] === true,
          },
          versionFrom: flags['no-pin'] ? undefined : versionFrom(context),
          proof: readProofWish(context),
          followLogs: flags.logs === true,
          undo: flags['no-undo'] !== true,
          hold: flags.hold ? true : flags['release-hold'] ? false : undefined,
          resolve: resolver(context),
        },
        results,
      ),
    );
  },
};

function hookOf({ dir, io }: Context): string | undefined {
  return io.env.RENDER_DEPLOY_HOOK || loadSources(dir, {}, io.env).dotenv.RENDER_DEPLOY_HOOK;
}

function versionFrom({ dir, flags, io }: Context): string | undefined {
  return collectSettings(loadSources(dir, flags, io.env)).version?.from;
}

function textOf(flag: unknown): string | undefined {
  return flag === undefined ? undefined : String(flag);
}
