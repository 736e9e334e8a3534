import { NotFoundError, UsageError } from '../errors';
import { activate } from '../release/activate';
import { backendFolder, layoutOf } from '../release/layout';
import { isWhole, listReleases, type Release, readCurrent, readRelease } from '../release/store';
import { readActiveRelease } from '../start/active-release';
import { planStartIn } from '../start/plan/start-plan';
import type { Command } from './command';

export const command: Command = {
  usage: 'bootlace use VERSION|previous',
  help: [['VERSION', 'of a release that is on disk; see npx bootlace status']],
  options: {},
  positionals: 1,
  async run({ dir, positionals: [asked], flags, io, report }) {
    if (!asked?.trim())
      throw new UsageError('VERSION_MISSING', 'use needs a version', {
        fix: 'type: npx bootlace use previous, or a version that this lists: npx bootlace status',
      });
    const layout = layoutOf(dir);
    // Whatever became of the active one: this is a way to leave it.
    const current = readCurrent(layout);
    const whole = listReleases(layout).filter(isWhole);
    if (whole.length === 0) readActiveRelease(dir);
    const name = current && readRelease(layout, current.active)?.receipt.package;
    const kept = whole.filter(({ receipt }) => name === undefined || receipt.package === name);
    const release = find(asked);
    if (!release) {
      const versions = [...new Set(kept.map(({ receipt }) => receipt.version))].join(', ');
      const [what, other] =
        asked === 'previous'
          ? ['no release was active before this one, or it is not on disk any more', '1.2.3']
          : [`no release ${asked} is on disk`, asked];
      throw new NotFoundError('RELEASE_NOT_FOUND', what, {
        fix: `name one of the candidates, or another version: npx bootlace setup --backend-version ${other}`,
        facts: { candidates: versions || 'none' },
      });
    }
    const wanted = { text: asked, from: 'use', why: 'switched by hand' };
    const { receipt, folder } = release;
    const { version } = receipt;
    if (current?.active !== release.name) {
      // Started as the active one was asked to.
      const { asked, args, tokenEnv = 'NPM_TOKEN', secretEnv, memory } = current?.start ?? {};
      const place = { release: folder, backend: backendFolder(folder, receipt.package) };
      const start = planStartIn(place, { asked, args, tokenEnv, secretEnv, memory });
      activate(layout, { name: release.name, wanted, start, typed: current?.typed }, io);
    }
    report.line(`active: ${receipt.package} ${version}; it counts from the next start on`);
    report.line(`setup and up choose again; to stay with it, set BACKEND_VERSION=${version}`);
    if (flags.json) report.json({ ok: true, active: release.name, version });
    return 0;

    function find(text: string): Release | undefined {
      if (text === 'previous')
        return current?.previous.flatMap(name => whole.find(one => one.name === name) ?? [])[0];
      const version = text.replace(/^v/, '');
      return kept.find(({ name, receipt }) => name === version || receipt.version === version);
    }
  },
};
