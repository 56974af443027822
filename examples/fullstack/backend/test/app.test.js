import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../src/app.js';

// Holds its rows in memory and keeps every statement with its parameters.
function fakePool(rows = []) {
  const statements = [];
  return {
    statements,
    query: async (sql, parameters) => {
      statements.push({ sql, parameters });
      return [rows];
    },
    execute: async (sql, parameters) => {
      statements.push({ sql, parameters });
      return [{ insertId: 7 }];
    },
  };
}

function brokenPool() {
  const refuse = () => Promise.reject(Object.assign(new Error('host db, user root'), { code: 'ECONNREFUSED' }));
  return { query: refuse, execute: refuse };
}

async function serve(context, pool, log = () => {}) {
  const server = createApp(pool, log).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await new Promise((ready) => server.once('listening', ready));
  return async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', Connection: 'close' },
      body,
    });
    return { status: response.status, body: await response.json() };
  };
}

test('lists the values', async (context) => {
  const ask = await serve(context, fakePool([{ id: 2, value: 'pole' }]));
  assert.deepEqual(await ask('GET', '/api/values'), { status: 200, body: [{ id: 2, value: 'pole' }] });
});

test('stores a value as a parameter, never as part of the statement', async (context) => {
  const pool = fakePool();
  const ask = await serve(context, pool);
  const value = `'); DROP TABLE lists; --`;
  const answer = await ask('POST', '/api/value', JSON.stringify({ value: ` ${value} ` }));
  assert.deepEqual(answer, { status: 201, body: { id: 7, value } });
  assert.deepEqual(pool.statements, [{ sql: 'INSERT INTO lists (value) VALUES (?)', parameters: [value] }]);
});

const refused = [
  { name: 'no value', body: '{}', status: 400, error: /not empty/ },
  { name: 'no body', body: undefined, status: 400, error: /not empty/ },
  { name: 'blanks', body: '{"value":"  "}', status: 400, error: /not empty/ },
  { name: 'a number', body: '{"value":1}', status: 400, error: /not empty/ },
  { name: 'a long value', body: JSON.stringify({ value: 'x'.repeat(201) }), status: 400, error: /longer than 200/ },
  { name: 'a large body', body: JSON.stringify({ value: 'x'.repeat(5000) }), status: 413, error: /JSON/ },
  { name: 'broken JSON', body: '{', status: 400, error: /JSON/ },
];
for (const { name, body, status, error } of refused) {
  test(`refuses ${name}`, async (context) => {
    const pool = fakePool();
    const ask = await serve(context, pool);
    const answer = await ask('POST', '/api/value', body);
    assert.equal(answer.status, status);
    assert.match(answer.body.error, error);
    assert.deepEqual(pool.statements, []);
  });
}

test('accepts 200 characters', async (context) => {
  const ask = await serve(context, fakePool());
  const answer = await ask('POST', '/api/value', JSON.stringify({ value: 'x'.repeat(200) }));
  assert.equal(answer.status, 201);
});

for (const [method, path, body] of [
  ['GET', '/api/values'],
  ['GET', '/api/health'],
  ['POST', '/api/value', '{"value":"pole"}'],
]) {
  test(`${method} ${path} says that the database is away, and no more than that`, async (context) => {
    const lines = [];
    const ask = await serve(context, brokenPool(), (line) => lines.push(line));
    assert.deepEqual(await ask(method, path, body), { status: 503, body: { error: 'the database does not answer' } });
    assert.deepEqual(lines, [`${method} ${path}: ECONNREFUSED`]);
  });
}

test('is healthy with a database', async (context) => {
  const ask = await serve(context, fakePool());
  assert.deepEqual(await ask('GET', '/api/health'), { status: 200, body: { status: 'ok' } });
});

test('answers an unknown path in JSON', async (context) => {
  const ask = await serve(context, fakePool());
  assert.deepEqual(await ask('GET', '/api/nothing'), { status: 404, body: { error: 'not found' } });
});
