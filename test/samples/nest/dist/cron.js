'use strict';
const { pool } = require('./database');
async function run() {
  await pool.query("insert into jobs (state) values ('from cron')");
  console.log('ran', process.argv.slice(2).join(' '));
  await pool.end();
}
run();
