#!/usr/bin/env node
const { join } = require('node:path');

const dist = join(__dirname, '..', 'dist');
require('../dist/cli.js').start(dist);
