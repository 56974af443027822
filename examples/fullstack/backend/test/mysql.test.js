// Against a real database, whenever the environment names one.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import mysql from 'mysql2/promise';
import { readConfig } from '../src/config.js';
import { addValue, listValues, prepare } from '../src/database.js';

const skip = process.env.MYSQL_HOST ? false : 'MYSQL_HOST is not set';

describe('MySQL', { skip }, () => {
  let pool;

  before(async () => {
    pool = mysql.createPool(readConfig(process.env).mysql);
    await prepare(pool);
  });
  after(() => pool?.end());

  test('prepare may be repeated', () => prepare(pool));

  test('returns what was added, newest first', async () => {
    const first = await addValue(pool, `first ${process.hrtime.bigint()}`);
    const second = await addValue(pool, `'"; -- \\ 사과 🍎 ${process.hrtime.bigint()}`);
    assert.deepEqual((await listValues(pool)).slice(0, 2), [second, first]);
    await pool.execute('DELETE FROM lists WHERE id IN (?, ?)', [first.id, second.id]);
  });
});
