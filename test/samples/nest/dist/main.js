'use strict';
require('reflect-metadata');
const { Controller, Get, Post, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { pool } = require('./database');

class JobsController {
  async health() {
    await pool.query('select 1');
    return { ok: true };
  }
  async list() {
    return (await pool.query('select id, state from jobs order by id')).rows;
  }
  async add() {
    return (await pool.query("insert into jobs (state) values ('new') returning id")).rows[0];
  }
  async slow() {
    await new Promise(resolve => setTimeout(resolve, 700));
    return 'whole';
  }
  facts() {
    return { cwd: process.cwd(), argv: process.argv.slice(1), execArgv: process.execArgv, env: process.env };
  }
}
function decorate(decorators, name) {
  const descriptor = Object.getOwnPropertyDescriptor(JobsController.prototype, name);
  for (const decorator of decorators) decorator(JobsController.prototype, name, descriptor);
}
decorate([Get('healthz')], 'health');
decorate([Get('jobs')], 'list');
decorate([Post('jobs')], 'add');
decorate([Get('slow')], 'slow');
decorate([Get('facts')], 'facts');
Controller()(JobsController);

class AppModule {
  async onApplicationShutdown() {
    console.log('stopping');
    await pool.end();
  }
}
Module({ controllers: [JobsController] })(AppModule);

async function bootstrap() {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.enableShutdownHooks();
  await app.listen(process.env.PORT, '127.0.0.1');
  console.log('listening');
}
bootstrap();
