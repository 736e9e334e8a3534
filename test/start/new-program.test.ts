import assert from 'node:assert/strict';
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { writeInstalled } from '../support/installed';
import { availableNodes } from '../support/nodes';
import { runNode, temporaryFolder } from '../support/run';

type Context = { after(fn: () => void): void };
type Files = Readonly<Record<string, string>>;

/** A folder whose backend starts with a flag that needs a new process. */
function world(t: Context, files: Files, start = 'node --max-http-header-size=20000 main.js') {
  const dir = realpathSync(temporaryFolder(t));
  const { backend } = writeInstalled(dir, { packageJson: { scripts: { start } }, files });
  const run = (node: string, [first = '', ...rest]: string[]) =>
    runNode(first, rest, { cwd: dir, node });
  return { dir, backend, run };
}

suite('a start that becomes a new program', () => {
  for (const { major, file: node } of availableNodes()) {
    test(`Node ${major}: no token that Node's own command line brings`, async t => {
      const { dir, run } = world(t, { 'main.js': 'console.log(process.env.NPM_TOKEN)' });
      writeFileSync(join(dir, 'own.env'), 'NPM_TOKEN=of-a-file');
      assert.equal((await run(node, ['--env-file=own.env', 'server.js'])).stdout, 'undefined\n');
    });

    test(`Node ${major}: with code for a main program`, async t => {
      const { run } = world(t, { 'main.js': 'console.log("main", process.execArgv)' });
      const main = "main [ '--max-http-header-size=20000' ]\n";
      assert.equal((await run(node, ['-e', 'require("./server.js")'])).stdout, main);
    });

    test(`Node ${major}: from an ES module that another program imports`, async t => {
      const { dir, run } = world(t, { 'main.js': 'console.log("main", process.argv.slice(2))' });
      writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
      writeFileSync(join(dir, 'manager.cjs'), 'import("./server.js")');
      assert.equal((await run(node, ['manager.cjs', 'a'])).stdout, "main [ 'a' ]\n");
    });
  }

  test("under Node's permissions it reads what it needs", async t => {
    for (const { major, file: node } of availableNodes().filter(({ major }) => major >= 24)) {
      const files = {
        'main.js':
          'console.log(process.permission.has("fs.read", __dirname + "/data"), process.permission.has("fs.read", process.cwd() + "/.env"))',
      };
      const { run } = world(t, files, 'node --permission --allow-fs-read=. main.js');
      const { stdout, stderr } = await run(node, ['server.js']);
      assert.equal(stdout, 'true false\n', `Node ${major}: ${stderr}`);
    }
  });
});
