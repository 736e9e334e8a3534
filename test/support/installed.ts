import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backendFolder, layoutOf, receiptName } from '../../src/release/layout';
import type { Current, Receipt, StartPlan } from '../../src/release/receipt';
import { releaseNameOf } from '../../src/release/store';
import { planStartIn } from '../../src/start/plan/start-plan';
import { renderServerFile } from '../../src/start/server-file';
import { root } from './run';

export interface Sample {
  packageJson: Record<string, unknown>;
  files: Readonly<Record<string, string>>;
  start?: Partial<StartPlan>;
}

/** Writes folder, release and server.js as a setup would leave them, without an install. */
export function writeInstalled(
  dir: string,
  { packageJson, files, start }: Sample,
): { backend: string; release: string } {
  const layout = layoutOf(dir);
  const { name = 'backend', version = '1.0.0' } = packageJson as {
    name?: string;
    version?: string;
  };
  const receipt: Receipt = {
    format: 1,
    package: name,
    version,
    integrity: 'sha512-test',
    source: { registry: 'https://acme.test/' },
    host: { platform: process.platform, arch: process.arch, abi: process.versions.modules },
    scripts: [],
    tree: { paths: [`node_modules/${name}`], sha256: '', files: 1, bytes: 1 },
    bootlace: '0.0.0',
    node: process.versions.node,
    installedAt: new Date().toISOString(),
  };
  const release = layout.release(releaseNameOf(receipt));
  const backend = backendFolder(release, name);
  write(join(backend, 'package.json'), JSON.stringify({ name, version, ...packageJson }));
  for (const [path, text] of Object.entries(files)) write(join(backend, path), text);
  write(join(release, receiptName), JSON.stringify(receipt));
  const current: Current = {
    format: 1,
    active: releaseNameOf(receipt),
    previous: [],
    wanted: { text: 'latest', from: 'default', why: 'the tag latest' },
    start: {
      ...planStartIn({ release, backend }, { asked: start?.asked, tokenEnv: 'NPM_TOKEN' }),
      ...start,
    },
    activatedAt: new Date().toISOString(),
  };
  write(layout.current, JSON.stringify(current));
  write(layout.launcher, readFileSync(join(root, 'dist', 'launcher.cjs'), 'utf8'));
  write(join(dir, 'server.js'), renderServerFile('0.0.0'));
  return { backend, release };
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
