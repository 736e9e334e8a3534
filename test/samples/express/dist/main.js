'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
const express = require('express');
const app = express();
app.get('/healthz', (_request, response) => response.json({ ok: true }));
app.get('/facts', (_request, response) =>
  response.json({
    cwd: process.cwd(),
    argv: process.argv.slice(1),
    execArgv: process.execArgv,
    isMain: require.main === module,
    env: process.env,
  }),
);
app.get('/slow', (_request, response) => setTimeout(() => response.send('whole'), 700));
const server = app.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
process.on('SIGTERM', () => {
  console.log('stopping');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
