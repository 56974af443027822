import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../src/config.js';

const good = {
  MYSQL_HOST: 'db',
  MYSQL_USER: 'root',
  MYSQL_ROOT_PASSWORD: 'word',
  MYSQL_DATABASE: 'app',
  MYSQL_PORT: '3306',
};

test('reads the database and the port', () => {
  assert.deepEqual(readConfig({ ...good, PORT: '8080' }), {
    port: 8080,
    mysql: { host: 'db', port: 3306, user: 'root', password: 'word', database: 'app' },
  });
});

test('listens on 5000 unless told otherwise', () => {
  assert.equal(readConfig(good).port, 5000);
});

const bad = [
  { name: 'one missing', env: { ...good, MYSQL_HOST: undefined }, message: /^MYSQL_HOST is not set\. / },
  { name: 'an empty one', env: { ...good, MYSQL_USER: '' }, message: /^MYSQL_USER is not set\. / },
  { name: 'a port in words', env: { ...good, MYSQL_PORT: 'tcp' }, message: /^MYSQL_PORT is not a port/ },
  { name: 'a port too high', env: { ...good, PORT: '70000' }, message: /^PORT is not a port/ },
  {
    name: 'all missing, told at once',
    env: {},
    message: /HOST is not set; .*USER is not set; .*PASSWORD is not set; .*DATABASE is not set; .*PORT is not set/,
  },
];
for (const { name, env, message } of bad) {
  test(`refuses ${name}`, () => assert.throws(() => readConfig(env), { message }));
}
