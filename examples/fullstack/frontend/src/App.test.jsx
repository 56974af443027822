import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import App from './App.jsx';

const json = (status, body) => new Response(JSON.stringify(body), { status });

// A backend as the page sees it: answers by "METHOD path", every request recorded.
function serve(answers) {
  const requests = [];
  vi.stubGlobal('fetch', async (path, { method = 'GET', body } = {}) => {
    requests.push({ method, path, body });
    return answers[`${method} ${path}`]();
  });
  return requests;
}

const items = () => screen.queryAllByRole('listitem').map((item) => item.textContent);

test('shows the values that the backend has', async () => {
  serve({ 'GET /api/values': () => json(200, [{ id: 2, value: 'pole' }, { id: 1, value: 'load' }]) });
  render(<App />);
  expect(screen.getByText('Loading…')).toBeInTheDocument();
  await screen.findByText('pole');
  expect(items()).toEqual(['pole', 'load']);
});

test('says when there are none', async () => {
  serve({ 'GET /api/values': () => json(200, []) });
  render(<App />);
  expect(await screen.findByText('No values yet.')).toBeInTheDocument();
});

test('adds a value, trimmed, and empties the field', async () => {
  const requests = serve({
    'GET /api/values': () => json(200, [{ id: 1, value: 'load' }]),
    'POST /api/value': () => json(201, { id: 2, value: 'pole' }),
  });
  render(<App />);
  await screen.findByText('load');
  const field = screen.getByLabelText('New value');
  await userEvent.type(field, ' pole ');
  await userEvent.click(screen.getByRole('button', { name: 'Add' }));
  await screen.findByText('pole');
  expect(items()).toEqual(['pole', 'load']);
  expect(field).toHaveValue('');
  expect(requests.at(-1)).toEqual({ method: 'POST', path: '/api/value', body: '{"value":"pole"}' });
});

test('does not send an empty value', async () => {
  const requests = serve({ 'GET /api/values': () => json(200, []) });
  render(<App />);
  await screen.findByText('No values yet.');
  await userEvent.type(screen.getByLabelText('New value'), '   {Enter}');
  expect(screen.getByRole('button', { name: 'Add' })).toBeDisabled();
  expect(requests.map(({ method }) => method)).toEqual(['GET']);
});

test('shows why a value was refused and keeps what was typed', async () => {
  serve({
    'GET /api/values': () => json(200, []),
    'POST /api/value': () => json(400, { error: 'value is too long' }),
  });
  render(<App />);
  await screen.findByText('No values yet.');
  await userEvent.type(screen.getByLabelText('New value'), 'pole{Enter}');
  expect(await screen.findByRole('alert')).toHaveTextContent('The value was not added: value is too long');
  expect(screen.getByLabelText('New value')).toHaveValue('pole');
});

test('shows that the backend is away', async () => {
  serve({ 'GET /api/values': () => new Response('<h1>Bad Gateway</h1>', { status: 502 }) });
  render(<App />);
  expect(await screen.findByRole('alert')).toHaveTextContent('The values could not be loaded: the server answered 502');
  expect(screen.queryByText('Loading…')).not.toBeInTheDocument();
});
