import { Parser, type ReadEntry } from 'tar';
import { IntegrityError } from '../../src/errors';
import { pathInside } from '../../src/install/package-writer';
import { TarReader } from '../../src/install/tar-reader';
import { tar } from './tarball';

/** A small fast generator of numbers that a seed decides. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const long = `package/${'a-long-name/'.repeat(12)}file.js`;

/** Archives to start from: honest ones and ones that are hostile already. */
export const corpus: Buffer[] = [
  tar([{ path: 'package/package.json', content: '{}' }]),
  tar([
    { path: 'package/', type: '5' },
    { path: 'package/bin/run', content: '#!/bin/sh\n', mode: 0o755 },
    { path: 'package/empty', content: '' },
  ]),
  tar([{ path: long, content: 'x'.repeat(700) }]),
  tar([
    { path: '././@LongLink', type: 'L', content: `${long}\0` },
    { path: 'package/short', content: 'long by GNU' },
  ]),
  tar([
    { path: 'package/link', type: '2', linkpath: '../../etc' },
    { path: 'package/link/passwd', content: 'root' },
  ]),
  tar([{ path: 'package/../../out', content: 'out' }]),
  tar([{ path: '/etc/passwd', content: 'root' }]),
  tar([
    { path: 'pax', type: 'g', content: '24 comment=of all files\n' },
    { path: 'pax', type: 'x', content: '30 path=package/named-by-pax\n12 size=3\n' },
    { path: 'package/other', content: 'abc' },
  ]),
  tar([
    { path: 'package/device', type: '3' },
    { path: 'package/pipe', type: '6' },
    { path: 'package/big', content: 'x', size: 0o77777777 },
  ]),
];

/** Where it hurts: name, mode, size, checksum, type, link name, magic, prefix. */
const fields = [0, 8, 100, 124, 131, 135, 148, 156, 157, 257, 263, 345, 475];

/** One archive, changed in a few places; mostly with right checksums, so that it is read on. */
export function mutate(base: Buffer, pick: (below: number) => number): Buffer {
  const data = Buffer.from(base);
  for (let times = 1 + pick(4); times > 0; times--) {
    const block = pick(data.length >> 9) << 9;
    const kind = pick(8);
    if (kind < 4) data[block + (fields[pick(fields.length)] as number) + pick(4)] = pick(256);
    else if (kind === 4) data[pick(data.length)] = pick(256);
    else if (kind === 5) data.copy(data, pick(data.length >> 9) << 9, block, block + 512);
    else if (kind === 6) data.fill(pick(2) ? 0 : 0x2e, block + pick(400), block + pick(512));
    else data.write(words[pick(words.length)] as string, block + pick(120));
  }
  if (pick(8) > 0) for (let at = 0; at + 512 <= data.length; at += 512) fixChecksum(data, at);
  return pick(8) === 0 ? data.subarray(0, pick(data.length)) : data;
}

const words = [
  '../',
  '/..',
  '..\\',
  '/',
  'package/',
  '\0',
  '99 path=../x\n',
  'C:\\',
  '77777777777',
];

function fixChecksum(data: Buffer, at: number): void {
  if (data[at + 257] !== 0x75) return;
  let sum = 8 * 0x20;
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += data[at + i] as number;
  data.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
}

export interface ReadFile {
  path: string;
  content: string;
}

/**
 * Reads an archive in pieces and checks each path.
 * @returns its files, or the code of the refusal
 * @throws an error for a path outside and for anything that is no expected refusal
 */
export function readAll(archive: Buffer, pieceSize = archive.length || 1): ReadFile[] | string {
  const files: ReadFile[] = [];
  let open: { path: string; size: number; content: string } | undefined;
  const reader = new TarReader('fuzzed', {
    file(path, _mode, size) {
      if (open) throw new Error(`${path} begins in ${open.path}`);
      checkInside(pathInside(path, 'fuzzed'));
      open = { path, size, content: '' };
      return true;
    },
    data(piece) {
      if (!open) throw new Error('content without a file');
      open.content += piece.toString('latin1');
    },
    end() {
      if (open?.content.length !== open?.size) throw new Error(`${open?.path} has another size`);
      if (open) files.push({ path: open.path, content: open.content });
      open = undefined;
    },
  });
  try {
    for (let at = 0; at < archive.length; at += pieceSize)
      reader.write(archive.subarray(at, at + pieceSize));
    reader.close();
    return files;
  } catch (error) {
    if (error instanceof IntegrityError) return error.code;
    throw error;
  }
}

function checkInside(path: string): void {
  const parts = path.split('/');
  if (path !== '' && parts.some(part => part === '' || part === '.' || part === '..'))
    throw new Error(`${JSON.stringify(path)} is outside`);
  if (path.includes('\0')) throw new Error('a path with a NUL');
}

/** What the library reads: its files, in order. */
export function readWithLibrary(archive: Buffer): ReadFile[] | string {
  const files: ReadFile[] = [];
  let bad = '';
  const parser = new Parser({
    onReadEntry(entry: ReadEntry) {
      const file = { path: entry.path, content: '' };
      const isFile = ['File', 'OldFile', 'ContiguousFile'].includes(entry.type);
      entry.on('data', (piece: Buffer) => {
        file.content += piece.toString('latin1');
      });
      entry.on('end', () => {
        if (isFile) files.push(file);
      });
      entry.resume();
    },
    onwarn(code: string) {
      if (code === 'TAR_BAD_ARCHIVE' || code === 'TAR_ABORT') bad = code;
    },
  });
  parser.end(archive);
  return bad || files;
}
