'use strict';
// Makes much garbage for each answer: 200 objects, written and read again.
const { createServer } = require('node:http');
const server = createServer((_request, response) => {
  const rows = [];
  for (let id = 0; id < 200; id++)
    rows.push({ id, name: `user ${id}`, tags: [`a${id}`, 'b'], at: new Date(id * 1e9).toISOString() });
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(JSON.parse(JSON.stringify({ rows }))));
});
server.listen(process.env.PORT, '127.0.0.1');
