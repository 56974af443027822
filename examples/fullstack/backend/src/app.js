import express from 'express';
import { addValue, listValues } from './database.js';

const MAX_LENGTH = 200;

/** The HTTP side. `pool` is a mysql2 promise pool, or something with its query and execute. */
export function createApp(pool, log = console.error) {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: '4kb' }));

  app.get('/api/health', async (request, response) => {
    await pool.query('SELECT 1');
    response.json({ status: 'ok' });
  });

  app.get('/api/values', async (request, response) => {
    response.json(await listValues(pool));
  });

  app.post('/api/value', async (request, response) => {
    const { value, problem } = readValue(request.body);
    if (problem) return response.status(400).json({ error: problem });
    response.status(201).json(await addValue(pool, value));
  });

  app.use((request, response) => response.status(404).json({ error: 'not found' }));
  app.use(answerError(log));
  return app;
}

function readValue(body) {
  const value = typeof body?.value === 'string' ? body.value.trim() : '';
  if (value === '') return { problem: 'value must be a text that is not empty' };
  if (value.length > MAX_LENGTH) return { problem: `value is longer than ${MAX_LENGTH} characters` };
  return { value };
}

// A caller's mistake keeps its status (the body parser sets it). The rest is the database's, told to the log only.
function answerError(log) {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    if (error.status >= 400 && error.status < 500) {
      return response.status(error.status).json({ error: 'the request body is not acceptable JSON' });
    }
    log(`${request.method} ${request.path}: ${error.code ?? error.message}`);
    response.status(503).json({ error: 'the database does not answer' });
  };
}
