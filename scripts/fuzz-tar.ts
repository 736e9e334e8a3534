// Feeds the tarball reader with broken and hostile archives: npx tsx scripts/fuzz-tar.ts COUNT SEED
// Fails on a crash, a hang, a path outside its folder, or a reading in pieces that differs; every
// hundredth input is compared with what the tar library reads, and differences are counted.
import { corpus, mutate, random, readAll, readWithLibrary } from '../test/support/fuzz-tar';

const count = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
const pick = random(seed);
const outcomes = new Map<string, number>();
const add = (name: string) => outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
const slowestMs = 1000;
const begun = Date.now();

for (let i = 1; i <= count; i++) {
  const archive = mutate(corpus[pick(corpus.length)] as Buffer, pick);
  const start = performance.now();
  let read: ReturnType<typeof readAll>;
  try {
    read = readAll(archive);
    if (i % 10 === 0 && JSON.stringify(readAll(archive, 1 + pick(700))) !== JSON.stringify(read))
      throw new Error('read in pieces it is another');
    // Again, by the processor's time: on a busy machine the first may have waited its turn.
    if (performance.now() - start > slowestMs && cpuMsOf(() => readAll(archive)) > slowestMs)
      throw new Error('too slow');
  } catch (error) {
    console.error(`input ${i} of seed ${seed}:`, error, archive.toString('base64'));
    process.exit(1);
  }
  add(typeof read === 'string' ? read : 'read');
  if (i % 100 === 0 && typeof read !== 'string') {
    const library = readWithLibrary(archive);
    if (JSON.stringify(library) === JSON.stringify(read)) add('same as the library');
    else {
      add('other than the library');
      if (process.argv[4] === 'show')
        console.log(
          JSON.stringify(library).slice(0, 300),
          JSON.stringify(read).slice(0, 300),
          archive.toString('base64'),
        );
    }
  }
  if (i % 1_000_000 === 0) console.log(`${i} inputs, ${Math.round((Date.now() - begun) / 1000)} s`);
}
console.log(`${count} inputs of seed ${seed}:`, Object.fromEntries(outcomes));

function cpuMsOf(act: () => unknown): number {
  const before = process.cpuUsage();
  act();
  return process.cpuUsage(before).user / 1000;
}
