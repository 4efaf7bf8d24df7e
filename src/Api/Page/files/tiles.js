import { byId, h, show } from './dom.js';
import { bytes, count, duration, perSecond, rate } from './format.js';

/** The six numbers to see first. What cannot be read is no zero. */
export function tiles(state, points, latest) {
  const { status, lag } = state, readable = status.engineServer.readable;
  const now = points.at(-1);
  const latency = points.findLast(p => p.p99 !== null);
  const quarantined = status.entities.reduce((sum, e) => sum + e.quarantine, 0);
  const holes = status.entities.reduce((sum, e) => sum + e.holes, 0), waiting = status.entities.reduce((sum, e) => sum + e.waitingForParent, 0);
  const slot = status.source?.slot;
  show(byId('tiles'),
    tile('Lag', duration(lag.seconds), `${bytes(lag.bytes)} behind`, state.health.checks.find(c => c.name === 'lag')?.status === 'healthy' ? 'good' : 'warn'),
    tile('Throughput', perSecond(now?.rows), 'row changes applied'),
    tile('Commit to visible', duration(latency?.p99), latency ? `p99; median ${duration(latency.p50)}` : 'no commit yet'),
    tile('Consistency', rate(state.consistency ?? latest?.total.rate), state.verdict ? `${count(state.verdict.drift)} open ${state.verdict.drift === 1 ? 'difference' : 'differences'}${state.verdict.leftOut ? `; ${state.verdict.leftOut}` : ''}` : latest ? 'not known' : 'never compared', { consistent: 'good', drift: 'bad', inconclusive: 'warn' }[state.verdict?.word] ?? ''),
    tile('Quarantine', readable ? count(quarantined) : '–', readable ? `${count(holes)} holes, ${count(waiting)} wait for a parent` : 'the engine cannot be read', !readable || quarantined ? 'warn' : 'good'),
    tile('Slot', slot ? bytes(slot.retainedBytes) : '–', slot ? `kept; ${slot.walStatus ?? 'status unknown'}, ${slot.active ? 'read' : 'not read'}` : status.source ? 'no slot' : 'Odoo cannot be read', slot?.active && slot.walStatus === 'reserved' ? 'good' : 'warn'));
}

const tile = (name, value, note, tone = '') => h('div', {}, h('dt', {}, name), h('dd', { class: tone }, value), h('dd', { class: 'note', title: note }, note));
