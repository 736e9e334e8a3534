import { chmodSync, existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { makeFolder, writeAtomic, writeFailure } from '../../release/atomic';
import { readText } from '../../settings/read-text';
import { bodyOf, readHead } from './head';
import type { PlannedFile } from './template';

/**
 * How a planned file stands on the disk: not there; as planned; as an earlier init left it; or
 * changed or written by the user, whose it is then.
 */
export type FileState = 'missing' | 'current' | 'outdated' | 'yours';

export interface ComparedFile extends PlannedFile {
  state: FileState;
  /** The text on the disk. */
  before: string | undefined;
}

/** @throws SettingError FILE_UNREADABLE */
export function compareFiles(top: string, files: readonly PlannedFile[]): ComparedFile[] {
  return files.map(file => {
    const path = join(top, file.path);
    const before = readText(path);
    return { ...file, before, state: stateOf(file, before, path) };
  });
}

function stateOf(file: PlannedFile, before: string | undefined, path: string): FileState {
  if (before === undefined) return 'missing';
  if (!readHead(before)?.isIntact) return 'yours';
  const isRight = before.replaceAll('\r\n', '\n') === file.text;
  return isRight && !(file.isExecutable && isNotExecutable(path)) ? 'current' : 'outdated';
}

function isNotExecutable(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o111) === 0;
}

/**
 * Writes files, each by a rename.
 * @throws InstallError NOT_WRITABLE or DISK_FULL
 */
export function writeFiles(top: string, files: readonly PlannedFile[]): void {
  for (const { path, text, isExecutable } of files) {
    const target = join(top, path);
    try {
      if (!existsSync(dirname(target))) makeFolder(dirname(target));
      writeAtomic(target, text);
      if (isExecutable) chmodSync(target, 0o755);
    } catch (error) {
      throw writeFailure(error, target);
    }
  }
}

/** What init would change of a file, as a unified diff below its head; '' for nothing. */
export function diffOf({ path, before = '', text }: ComparedFile): string {
  const [was, is] = [bodyOf(before), bodyOf(text)];
  if (was === is) return '';
  const patch = createTwoFilesPatch(`a/${path}`, `b/${path}`, was, is, '', '', { context: 2 });
  return patch.replace(/^=+\n/, '').trimEnd();
}
