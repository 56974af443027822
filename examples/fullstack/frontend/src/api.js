// The backend answers {"error": "…"} when it refuses; a proxy in between may answer with a page.
async function request(path, options) {
  const response = await fetch(path, options);
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) {
    throw new Error(body?.error ?? `the server answered ${response.status}`);
  }
  return body;
}

/** All values, newest first: [{id, value}]. */
export function listValues() {
  return request('/api/values');
}

/** Stores a value and returns it as stored: {id, value}. */
export function addValue(value) {
  return request('/api/value', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ value }),
  });
}
