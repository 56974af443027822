import mysql from 'mysql2/promise';
import { createApp } from './app.js';
import { readConfig } from './config.js';
import { prepare } from './database.js';

async function main() {
  const config = readConfig(process.env);
  const pool = mysql.createPool({ ...config.mysql, connectionLimit: 10, connectTimeout: 5_000 });
  stopOn(pool, null);
  await prepare(pool);
  const server = createApp(pool).listen(config.port, () => console.log(`listening on port ${config.port}`));
  server.on('error', fail);
  stopOn(pool, server);
}

// Docker sends SIGTERM and kills ten seconds later; requests under way get half of that.
function stopOn(pool, server) {
  const stop = async () => {
    setTimeout(() => process.exit(0), 5_000).unref();
    if (server) await new Promise((done) => server.close(done));
    await pool.end();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.removeAllListeners(signal);
    process.once(signal, stop);
  }
}

function fail(error) {
  console.error(`backend: ${error.message}`);
  process.exit(1);
}

main().catch(fail);
