console.log('worker', process.argv.slice(2).join());
process.exitCode = 7;
