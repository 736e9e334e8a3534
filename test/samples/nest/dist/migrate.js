#!/usr/bin/env node
'use strict';
const { pool } = require('./database');
async function migrate() {
  if (process.argv[2] !== 'up') throw new Error(`migrate: unknown command ${process.argv[2]}`);
  await pool.query('create table if not exists jobs (id serial primary key, state text not null)');
  console.log('migrated');
  await pool.end();
}
migrate().catch(error => {
  console.error(error.message);
  process.exit(4);
});
