// Questions to the Api, with the viewer's key where one was given. It is kept for this tab only.
const kept = 'cdc-key';

export const key = {
  get value() { return sessionStorage.getItem(kept) ?? ''; },
  set value(text) { text ? sessionStorage.setItem(kept, text) : sessionStorage.removeItem(kept); },
};

/** What the Api answered instead (RFC 9457), or that it did not answer. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? body?.title ?? (status ? `The Api answered ${status}.` : 'The Api cannot be reached.'));
    this.status = status;
    this.word = body?.type?.split(':').at(-1) ?? '';
  }
}

export async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (key.value) headers.Authorization = `Bearer ${key.value}`;
  let response;
  try {
    response = await fetch(path, { cache: 'no-store', ...options, headers });
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new Problem(0);
  }
  if (!response.ok) throw new Problem(response.status, await response.json().catch(() => null));
  return response;
}

export const get = async path => (await ask(path)).json();

export const post = async (path, body) => (await ask(path, { method: 'POST', body: body === undefined ? '' : JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })).json();
