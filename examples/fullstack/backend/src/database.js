import { setTimeout as sleep } from 'node:timers/promises';

const TABLE = `CREATE TABLE IF NOT EXISTS lists (
  id INTEGER AUTO_INCREMENT,
  value TEXT NOT NULL,
  PRIMARY KEY (id)
)`;

// Time does not cure these.
const FINAL = new Set(['ER_ACCESS_DENIED_ERROR', 'ER_DBACCESS_DENIED_ERROR', 'ER_BAD_DB_ERROR']);

/**
 * Waits until the database answers and has the table. The database may start together with this process, so a
 * refused connection is tried again, for `patience` ms in all.
 */
export async function prepare(pool, { patience = 30_000, pause = 1_000, log = console.error } = {}) {
  const deadline = Date.now() + patience;
  for (;;) {
    const cause = await pool.query(TABLE).then(
      () => null,
      (error) => error,
    );
    if (cause === null) return;
    const reason = cause.code ?? cause.message;
    if (FINAL.has(cause.code) || Date.now() + pause > deadline) {
      throw new Error(`the database does not let us in: ${reason}`, { cause });
    }
    log(`waiting for the database: ${reason}`);
    await sleep(pause);
  }
}

/** The newest values first, at most a hundred. */
export async function listValues(pool) {
  const [rows] = await pool.query('SELECT id, value FROM lists ORDER BY id DESC LIMIT 100');
  return rows;
}

export async function addValue(pool, value) {
  const [result] = await pool.execute('INSERT INTO lists (value) VALUES (?)', [value]);
  return { id: result.insertId, value };
}
