import { gzipSync } from 'node:zlib';
import { readFiles } from '../../install/read-tarball';
import type { Tarball } from '../../install/tarball';
import { isObject } from '../../json';

/**
 * A tarball that holds a package.json and nothing else: what npm needs to know to choose a tree. A
 * folder in its place would do, but npm takes any version of that name for the folder's.
 */
export function stubTarball(packageJson: string): Buffer {
  return gzipSync(tarOf([['package.json', Buffer.from(packageJson)]]) as Buffer);
}

/**
 * Of a verified tarball only what npm reads to choose a tree: the package.json files of all that is
 * bundled in it, its shrinkwrap, and what stands for an install script.
 * @param what `left@1.0.0`, for the failure
 * @returns undefined where a package.json needs the names of other files, or a path is too long
 * @throws IntegrityError TARBALL_HOSTILE or TARBALL_INVALID
 */
export async function skeletonTarball(tarball: Tarball, what: string): Promise<Buffer | undefined> {
  const files = [
    ...(await readFiles(tarball, what, path =>
      /(?:^|\/)(?:package\.json|npm-shrinkwrap\.json|binding\.gyp)$/.test(path),
    )),
  ];
  if (files.some(([, content]) => hasBinFolder(content))) return undefined;
  const tar = tarOf(files);
  return tar && gzipSync(tar, { level: 1 });
}

/** Its bins are then the files of a folder. */
function hasBinFolder(content: Buffer): boolean {
  if (!content.includes('"directories"')) return false;
  try {
    const { directories } = JSON.parse(content.toString('utf8')) as { directories?: unknown };
    return isObject(directories) && directories.bin !== undefined;
  } catch {
    return true;
  }
}

function tarOf(files: readonly (readonly [path: string, content: Buffer])[]): Buffer | undefined {
  const blocks: Buffer[] = [];
  for (const [path, content] of files) {
    const header = ustarHeader(`package/${path}`, content.length);
    if (!header) return undefined;
    blocks.push(header, content, Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/**
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, ustar Interchange Format
 * @returns undefined for a path that it cannot hold
 */
function ustarHeader(path: string, size: number): Buffer | undefined {
  const bytes = Buffer.from(path);
  // A long path is cut at a slash: at most 155 bytes before it and 100 behind it.
  const cut = bytes.length <= 100 ? -1 : bytes.indexOf('/', bytes.length - 101);
  if (bytes.length - cut - 1 > 100 || cut > 155 || (bytes.length > 100 && cut < 0))
    return undefined;
  const header = Buffer.alloc(512);
  bytes.copy(header, 0, cut + 1);
  if (cut > 0) bytes.copy(header, 345, 0, cut);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
