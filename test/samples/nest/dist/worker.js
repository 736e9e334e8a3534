'use strict';
const { pool } = require('./database');
let isStopping = false;
process.on('SIGTERM', () => {
  isStopping = true;
});
async function work() {
  console.log('working');
  while (!isStopping) {
    await pool.query("update jobs set state = 'done' where state = 'new'");
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  await pool.end();
  console.log('stopped');
}
work();
