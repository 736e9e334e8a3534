import Fastify from 'fastify';

const app = Fastify();
app.get('/healthz', async () => ({ ok: true }));
app.get('/facts', async () => ({
  cwd: process.cwd(),
  argv: process.argv.slice(1),
  execArgv: process.execArgv,
  isMain: import.meta.main ?? import.meta.filename === process.argv[1],
  env: process.env,
}));
app.get('/slow', () => new Promise(resolve => setTimeout(() => resolve('whole'), 700)));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
console.log('listening');
process.on('SIGTERM', async () => {
  console.log('stopping');
  await app.close();
  process.exit(0);
});
