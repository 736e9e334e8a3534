'use strict';
const bcrypt = require('bcrypt');
const { createServer } = require('node:http');
const server = createServer(async (_request, response) => {
  const hash = await bcrypt.hash('secret', 4);
  response.end(JSON.stringify({ ok: await bcrypt.compare('secret', hash) }));
});
server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
