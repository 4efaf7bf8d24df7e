import { byId, h, show } from './dom.js';
import { count, duration, moment, words } from './format.js';

let lastKnown = null;

/** Each table's state, and how far it is being read; while the engine is away what was known last. */
export function tables(state) {
  const readable = state.status.engineServer.readable;
  if (readable) lastKnown = { entities: state.status.entities, requests: state.status.requests, at: state.status.at };
  const { entities, requests } = lastKnown ?? { entities: [], requests: [] };
  show(byId('snapshots'),
    !readable && h('p', { class: 'warn' }, lastKnown ? `The engine cannot be read: as of ${moment(lastKnown.at)}.` : 'The engine cannot be read.'),
    readable && entities.length === 0 && h('p', { class: 'quiet' }, 'The engine follows no source yet.'),
    entities.map(entity),
    requests.length > 0 && [h('h3', {}, 'Asked for'), h('ul', {}, requests.map(r => h('li', {}, `${words(r.kind)} of ${r.entity ?? 'all'}${r.keyCount ? `, ${count(r.keyCount)} keys` : ''}: ${r.state}, by ${r.requestedBy}, ${moment(r.requestedAt)}`)))]);
}

function entity(e) {
  const s = e.snapshot, percent = s?.percent ?? (e.state === 'streaming' ? 100 : 0);
  const done = s?.running ? `${percent.toFixed(1)} %, ${count(s.rowsPerSecond)} rows/s, ${s.etaSeconds === null ? 'time left not known' : `${duration(s.etaSeconds)} left`}` : e.rows === null ? '' : `about ${count(e.rows)} rows`;
  return h('div', { class: 'table-state' },
    h('div', {}, h('strong', {}, e.entity), h('span', { class: e.state === 'streaming' && !e.behindGap ? 'good' : e.state === 'stopped' ? 'bad' : 'warn' }, e.behindGap ? `${e.state}, behind the gap` : e.state), h('span', { class: 'quiet' }, done)),
    (s?.running || e.state === 'loading') && h('progress', { max: 100, value: percent, 'aria-label': `${e.entity} read` }, `${percent} %`),
    e.reason && h('p', { class: 'bad' }, e.reason));
}
