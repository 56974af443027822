import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepare } from '../src/database.js';

// A database that answers with these errors, then lets us in.
function poolFailing(...codes) {
  const pool = {
    asked: 0,
    query: async () => {
      const code = codes[pool.asked++];
      if (code) throw Object.assign(new Error('refused'), { code });
      return [];
    },
  };
  return pool;
}

const quick = { patience: 200, pause: 1, log: () => {} };

test('waits for a database that starts late', async () => {
  const pool = poolFailing('ENOTFOUND', 'ECONNREFUSED');
  const lines = [];
  await prepare(pool, { ...quick, log: (line) => lines.push(line) });
  assert.equal(pool.asked, 3);
  assert.deepEqual(lines, ['waiting for the database: ENOTFOUND', 'waiting for the database: ECONNREFUSED']);
});

test('gives up at last, with the reason', async () => {
  const pool = { query: () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })) };
  await assert.rejects(prepare(pool, { ...quick, patience: 20 }), {
    message: 'the database does not let us in: ECONNREFUSED',
  });
});

test('does not repeat what time cannot cure', async () => {
  const pool = poolFailing('ER_ACCESS_DENIED_ERROR');
  await assert.rejects(prepare(pool, quick), { message: /ER_ACCESS_DENIED_ERROR$/ });
  assert.equal(pool.asked, 1);
});
