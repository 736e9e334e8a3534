import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, lstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { systemCode } from '../errors';
import { writeFailure } from '../release/atomic';
import { type HashedFile, hashContent } from '../release/tree';
import { hostile, type TarHandler } from './tar-reader';

/** What has been written, shared by the packages that one thread unpacks from one tarball. */
export interface Written {
  /** The release's folder. */
  readonly root: string;
  /** Path from the root → file. */
  readonly files: Map<string, HashedFile>;
  /** Folders that are there, from the root. */
  readonly folders: Set<string>;
  savedFiles: number;
  savedBytes: number;
}

export interface WriterOptions {
  /** `left@1.0.0`, for the failure. */
  readonly what: string;
  /** The package's folder, from the root. */
  readonly folder: string;
  /** Folders in this one, in lower case, that the tarballs of other packages fill. */
  readonly foreign: readonly string[];
  /** Files, from the root, that become bins: executable, the first line ended as Unix does. */
  readonly bins: ReadonlySet<string>;
  /** True for a file, by its path in the package, that is not wanted. */
  readonly leaveOut?: (path: string) => boolean;
}

const writeFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;

/** A bin larger than this is no script whose first line needs mending. */
const largestScript = 4 * 1024 * 1024;

/**
 * Writes what a tar reader reads into one package's folder. One leading folder is taken off; a
 * `.gitignore` becomes an `.npmignore` where there is none; folders are made for files only; modes are 644 with the archive's exec
 * bits, less the umask; as npm does all of it.
 */
export class PackageWriter implements TarHandler {
  readonly #written: Written;
  readonly #options: WriterOptions;
  readonly #ignoreFiles = new Set<string>();
  #path = '';
  #fd = -1;
  #mode = 0;
  #size = 0;
  #sha256 = '';
  #hash: Hash | undefined;
  /** The pieces of a bin that came in more than one. */
  #script: Buffer[] | undefined;
  /** There is a binding.gyp at the top, which is an install script where no other is named. */
  hasGyp = false;

  constructor(written: Written, options: WriterOptions) {
    this.#written = written;
    this.#options = options;
    makeFolder(written, options.folder, options.what);
  }

  file(path: string, mode: number, size: number): boolean {
    const inside = this.#inside(path);
    if (!inside) return false;
    const { folder, what, leaveOut, bins } = this.#options;
    if (inside === 'binding.gyp') this.hasGyp = true;
    if (leaveOut?.(inside)) {
      this.#written.savedFiles++;
      this.#written.savedBytes += size;
      return false;
    }
    this.#path = `${folder}/${inside}`;
    makeFolder(this.#written, this.#path.slice(0, this.#path.lastIndexOf('/')), what);
    const isBin = bins.has(this.#path);
    this.#mode = isBin ? 0o777 : 0o644 | (mode & 0o111);
    this.#fd = this.#try(() =>
      openSync(`${this.#written.root}/${this.#path}`, writeFlags, this.#mode),
    );
    this.#script = isBin && size <= largestScript ? [] : undefined;
    this.#size = size;
    this.#sha256 = emptySha256;
    this.#hash = undefined;
    return true;
  }

  data(piece: Buffer): void {
    // The piece may be used again by its owner before the file is whole.
    if (this.#script) this.#script.push(Buffer.from(piece));
    else this.#write(piece, piece.length === this.#size);
  }

  end(): void {
    if (this.#script) {
      const content = withUnixLine(Buffer.concat(this.#script));
      this.#script = undefined;
      this.#size = content.length;
      this.#write(content, true);
    }
    this.close();
    const { files } = this.#written;
    // A second file of one name keeps the mode of the first.
    const isExecutable = files.get(this.#path)?.isExecutable ?? (this.#mode & 0o100) !== 0;
    const sha256 = this.#hash?.digest('hex') ?? this.#sha256;
    files.set(this.#path, { isExecutable, size: this.#size, sha256 });
  }

  /** Closes the file that a failure may have left open. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #write(piece: Buffer, isWhole: boolean): void {
    if (isWhole) this.#sha256 = hashContent(piece);
    else {
      this.#hash ??= createHash('sha256');
      this.#hash.update(piece);
    }
    this.#try(() => {
      for (let at = 0; at < piece.length; ) at += writeSync(this.#fd, piece, at, piece.length - at);
    });
  }

  #inside(path: string): string {
    const { what, foreign } = this.#options;
    const inside = pathInside(path, what);
    // On a disk that folds case, NODE_MODULES/b is node_modules/b.
    if (foreign.length > 0 && /^node_modules(\/|$)/i.test(inside)) {
      const folded = `${inside.toLowerCase()}/`;
      if (foreign.some(folder => folded.startsWith(`${folder}/`))) return '';
    }
    return inside.endsWith('ignore') ? this.#renamed(inside) : inside;
  }

  /** npm reads ignore files when it packs, so a published .gitignore would hide files. */
  #renamed(path: string): string {
    const base = path.slice(path.lastIndexOf('/') + 1);
    if (base === '.npmignore') this.#ignoreFiles.add(path);
    if (base !== '.gitignore') return path;
    const renamed = path.replace(/\.gitignore$/, '.npmignore');
    return this.#ignoreFiles.has(renamed) ? '' : renamed;
  }

  #try<T>(act: () => T): T {
    return tryWrite(act, this.#path, this.#options.what);
  }
}

/**
 * The path of an entry below its package's folder, the archive's own first folder taken off. Pure.
 * @returns a path of plain names; empty for what has no place there, such as that folder itself
 * @throws IntegrityError TARBALL_HOSTILE for a path that is absolute or leads out
 */
export function pathInside(path: string, what: string): string {
  const slash = path.indexOf('/');
  const inside = slash < 0 ? '' : path.slice(slash + 1);
  if (slash === 0 || /^[a-z]:/i.test(inside) || inside.length > 4096)
    throw hostile(what, `the path ${show(path)}`);
  // The plain case is one look: most paths need no more.
  if (!/(?:^|[/\\])\.\.?(?:[/\\]|$)|\/\/|^\/|\/$/.test(path)) return inside;
  if (path.split(/[/\\]/).includes('..')) throw hostile(what, `the path ${show(path)}`);
  return inside
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .join('/');
}

const emptySha256 = hashContent(Buffer.alloc(0));

/** A script without the carriage return that would be part of its interpreter's name. */
function withUnixLine(content: Buffer): Buffer {
  const end = content.subarray(0, 2048).indexOf('\r\n');
  const line = content.toString('latin1', 0, Math.max(end, 0));
  return /^#![^\n]+$/.test(line)
    ? Buffer.concat([content.subarray(0, end), content.subarray(end + 1)])
    : content;
}

function makeFolder(written: Written, folder: string, what: string): void {
  if (written.folders.has(folder)) return;
  const up = folder.lastIndexOf('/');
  if (up > 0) makeFolder(written, folder.slice(0, up), what);
  const full = `${written.root}/${folder}`;
  tryWrite(() => makeOrFind(full), folder, what);
  written.folders.add(folder);
}

/** Another thread may have been first. */
function makeOrFind(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !lstatSync(folder).isDirectory()) throw error;
  }
}

/** A path that is a file and a folder at once is the archive's fault, a full disk is not. */
function tryWrite<T>(act: () => T, path: string, what: string): T {
  try {
    return act();
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (['ENOTDIR', 'EISDIR', 'EEXIST', 'ENAMETOOLONG', 'EINVAL'].includes(code))
      throw hostile(what, `the path ${show(path)}, which cannot be written (${code})`);
    throw writeFailure(error, path);
  }
}

function show(path: string): string {
  const text = JSON.stringify(path);
  return text.length > 120 ? `${text.slice(0, 117)}..."` : text;
}
