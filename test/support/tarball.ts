import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** One entry of a tarball, honest or hostile. */
export interface TarEntry {
  path: string;
  content?: string | Buffer;
  mode?: number;
  /** The type flag: 0 file, 5 folder, 1 hard link, 2 symbolic link, 3 device… */
  type?: string;
  linkpath?: string;
  /** The size in the header, when it should lie. */
  size?: number;
}

/** Writes plain ustar; paths over 100 bytes get a PAX header before them. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '');
    if (Buffer.byteLength(entry.path) > 100) {
      const record = paxRecord('path', entry.path);
      blocks.push(header({ path: 'PaxHeader', type: 'x', size: record.length }), padded(record));
    }
    blocks.push(header({ ...entry, size: entry.size ?? content.length }), padded(content));
  }
  blocks.push(Buffer.alloc(1024));
  return Buffer.concat(blocks);
}

/** A package's tarball from a path → content table, below `package/` as npm packs it. */
export function packageTarball(
  files: Readonly<Record<string, string | Buffer>>,
  modes: Record<string, number> = {},
): Buffer {
  return gzipSync(
    tar(
      Object.entries(files).map(([path, content]) => ({
        path: `package/${path}`,
        content,
        mode: modes[path],
      })),
    ),
  );
}

export function sha512(data: Buffer): string {
  return `sha512-${createHash('sha512').update(data).digest('base64')}`;
}

function paxRecord(key: string, value: string): Buffer {
  const body = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(body);
  while (String(length).length + Buffer.byteLength(body) !== length)
    length = String(length).length + Buffer.byteLength(body);
  return Buffer.from(`${length}${body}`);
}

function header({ path, mode = 0o644, type = '0', linkpath = '', size = 0 }: TarEntry): Buffer {
  const block = Buffer.alloc(512);
  block.write(path.slice(0, 100), 0);
  block.write(`${(mode & 0o7777).toString(8).padStart(7, '0')}\0`, 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(linkpath.slice(0, 100), 157);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
