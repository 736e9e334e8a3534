import { gzipSync } from 'node:zlib';

/**
 * A tarball that holds a package.json and nothing else: what npm needs to know to choose a tree. A
 * folder in its place would do, but npm takes any version of that name for the folder's.
 */
export function stubTarball(packageJson: string): Buffer {
  const content = Buffer.from(packageJson);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  const header = ustarHeader('package/package.json', content.length);
  return gzipSync(Buffer.concat([header, content, padding, Buffer.alloc(1024)]));
}

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, ustar Interchange Format */
function ustarHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0);
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
