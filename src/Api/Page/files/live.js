// Server-sent events over fetch, because EventSource cannot send a key. Reconnects by itself, and sends the id of the last event it has.
import { ask } from './api.js';

const shortest = 500, longest = 10_000;
/** Without an event for so long (they come every second) the connection is taken for dead. */
const timeout = 20_000;

/** onTick(tick), onState('live' | 'lost', problem). Returns a function that reconnects at once, such as with another key. */
export function follow({ onTick, onState }) {
  let lastId = null, pause = shortest, current = null, wake = () => {};
  run();
  return () => { pause = shortest; current?.abort(); wake(); };

  async function run() {
    for (;;) {
      try {
        await listen();
        onState('lost', null);
      } catch (problem) {
        onState('lost', problem.name === 'AbortError' ? null : problem);
      }
      await new Promise(done => { wake = done; setTimeout(done, pause * (0.75 + Math.random() / 2)); });
      pause = Math.min(pause * 2, longest);
    }
  }

  async function listen() {
    const stop = current = new AbortController();
    let silence = setTimeout(() => stop.abort(), timeout);
    try {
      const response = await ask('/live', { signal: stop.signal, headers: { Accept: 'text/event-stream', ...(lastId ? { 'Last-Event-ID': lastId } : {}) } });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => stop.abort(), timeout);
        const events = (text + value).split('\n\n');
        text = events.pop();
        for (const event of events) take(event);
      }
    } finally {
      clearTimeout(silence);
      stop.abort();
    }
  }

  function take(event) {
    let id = null;
    const data = [];
    for (const line of event.split('\n')) {
      if (line.startsWith('id:')) id = line.slice(3).trim();
      else if (line.startsWith('data:')) data.push(line.slice(5));
    }
    if (data.length === 0) return;
    pause = shortest;
    onTick(JSON.parse(data.join('\n')));
    // Only now: what could not be shown is asked for again.
    if (id) lastId = id;
    onState('live', null);
  }
}
