// What is asked of the server.

export class Trouble extends Error {
  constructor(code, text, status) {
    super(text);
    this.code = code;
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Trouble('offline', String(error), 0);
  }
  if (response.status === 204) return null;
  const told = await response.json().catch(() => ({ code: 'failed', error: response.statusText }));
  if (!response.ok) throw new Trouble(told.code, told.error, response.status);
  return told;
}

function post(path, body, signal) {
  const headers = { 'content-type': 'application/json' };
  return ask(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
}

function tail(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== '' && value !== false) query.set(name, value);
  }
  return query.size ? `?${query}` : '';
}

// Part of the address of a thumbnail: another collection has another.
let key = '';

export async function state() {
  const told = await ask('/api/state');
  key = told.pictures?.key ?? '';
  return told;
}

export const enter = token => post('/api/session', { token });
export const failures = () => ask('/api/failures');
export const folders = () => ask('/api/folders');
export const list = (filter, offset, limit, signal) =>
  ask(`/api/pictures${tail({ ...filter, offset, limit })}`, { signal });
export const picture = (id, signal) => ask(`/api/pictures/${id}`, { signal });
export const search = (asked, signal) => post('/api/search', asked, signal);
export const duplicates = (asked, signal) => ask(`/api/duplicates${tail(asked)}`, { signal });
export const upload = file =>
  ask('/api/uploads', { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: file });

export const thumbnail = id => `/api/pictures/${id}/thumbnail?v=${key}`;
export const preview = id => `/api/pictures/${id}/preview?v=${key}`;
export const original = id => `/api/pictures/${id}/original`;
export const uploaded = name => `/api/uploads/${name}/preview`;

// Calls with each piece of news of indexing; the browser connects again by itself.
export function events(call, lost) {
  const source = new EventSource('/api/events');
  source.addEventListener('indexing', event => call(JSON.parse(event.data)));
  source.addEventListener('error', () => lost(source.readyState));
  addEventListener('pagehide', () => source.close());
}
