import { UsageError } from '../../errors';
import { deployServices } from '../../render/move/deploy';
import { ownMigrate } from '../../render/move/prepare';
import type { ServiceResult } from '../../render/move/progress';
import { settingFlags } from '../../settings/definitions';
import { loadSources } from '../../settings/load';
import { collectSettings } from '../../settings/settings';
import type { Command, Context } from '../command';
import { deployByHook } from './deploy-by-hook';
import { optionsOf, proofHelp, refuseVersions, renderHelp, servicesOf, textOf } from './flags';
import { reported } from './render-report';
import { sessionOf } from './session';

const help: Command['help'] = [
  ['SERVICE', 'names or ids; each is proven before the next begins'],
  ['--backend-version V', "exact version, range or dist-tag (the service's own)"],
  ['--dry-run', 'say what would be done, and do nothing'],
  ...renderHelp,
  ['--no-pin', "the service's own version, whatever BACKEND_VERSION says here"],
  ['--force', 'deploy although the version is live already'],
  ['--steal', 'deploy although another run may be at work'],
  ['--clear-cache', "clear Render's build cache first"],
  ['--commit SHA, --image URL', 'for services that no variable pins'],
  ['--migrate', 'run the migrations as a one-off job once the new version is live'],
  ['--migrate-command CMD', 'that command (npx bootlace migrate)'],
  ['--logs', 'show the build log as it comes'],
  ['--timeout MINUTES', 'for the deploy to be live (30)'],
  ['--wait-for MINUTES', 'wait for a version that was just published'],
  ...proofHelp,
  ['--no-undo', 'leave a failed deploy as it is'],
  ['--hold, --release-hold', 'switch autodeploy off, or on again, once proven'],
  [
    '--hook URL',
    'without an API key: trigger this deploy hook (or RENDER_DEPLOY_HOOK_URL), prove --url',
  ],
];

export const command: Command = {
  usage: 'bootlace deploy SERVICE... [--backend-version VERSION]',
  help,
  options: { ...settingFlags, ...optionsOf(help) },
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
    const session = sessionOf(context, 'deploy');
    refuseVersions(session, services);
    const results: ServiceResult[] = [];
    const migrateCommand = textOf(flags['migrate-command']);
    return reported(context, 'Deploy', results, onBegin =>
      deployServices(
        session,
        {
          services,
          wish: {
            request: {
              ...(flags['clear-cache'] === true && { clearCache: 'clear' }),
              ...(flags.commit !== undefined && { commitId: String(flags.commit) }),
              ...(flags.image !== undefined && { imageUrl: String(flags.image) }),
            },
            force: flags.force === true,
          },
          versionFrom: flags['no-pin'] ? undefined : versionFrom(context),
          undo: flags['no-undo'] !== true,
          hold: flags.hold ? true : flags['release-hold'] ? false : undefined,
          migrate: migrateCommand ?? (flags.migrate ? ownMigrate : undefined),
          dryRun: flags['dry-run'] === true,
          onBegin,
        },
        results,
      ),
    );
  },
};

function hookOf({ dir, io }: Context): string | undefined {
  const values = { ...loadSources(dir, {}, io.env).dotenv, ...io.env };
  return values.RENDER_DEPLOY_HOOK_URL || values.RENDER_DEPLOY_HOOK || undefined;
}

function versionFrom({ dir, flags, io }: Context): string | undefined {
  return collectSettings(loadSources(dir, flags, io.env)).version?.from;
}
