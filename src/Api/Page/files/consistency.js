import { get } from './api.js';
import { lineChart } from './chart.js';
import { byId, h, show } from './dom.js';
import { count, moment, rate } from './format.js';

const shownDrift = 50;

/** What the newest comparison found. */
export function consistency(viewer) {
  const parent = byId('consistency');
  const list = { latest: null, load, unread: why => show(summary, why) };
  const summary = h('div', {}, h('p', { class: 'quiet' }, 'Reading …')), chart = h('div', {}), map = h('div', {}), drift = h('div', {});
  parent.replaceChildren(h('div', { class: 'split' }, h('div', {}, summary, drift), h('div', {}, h('h3', {}, 'Drift, run by run'), chart, map)));
  const draw = lineChart(chart, { name: 'Keys that differ', format: count, whole: true });
  return list;

  /** mark: empty while no run was ever done. */
  async function load(mark) {
    if (mark) {
      list.latest = await get('/reconcile/latest');
    } else {
      show(summary, h('p', { class: 'quiet' }, 'Odoo and the engine were never compared: ', h('code', {}, 'cdc reconcile'), '.'));
      return;
    }
    const { run, total, entities, history } = list.latest;
    const verdict = { consistent: 'good', drift: 'bad' }[run.verdict] ?? 'warn';
    show(summary,
      h('p', {}, h('span', { class: `verdict ${verdict}` }, rate(total.rate)), ' ', h('span', { class: `badge ${verdict}` }, run.verdict)),
      h('p', { class: 'quiet' }, `Run ${run.id} (${run.kind}), ${moment(run.finishedAt)}: ${count(total.compared)} keys compared, ${count(total.drift)} differ; ${count(total.inFlight)} in flight, ${count(total.quarantined)} in quarantine, ${count(total.holes)} with holes, ${count(total.loading)} loading.`));
    const done = history.filter(p => p.state === 'done');
    draw(done.map(p => Date.parse(p.startedAt)), [{ name: 'drift', values: done.map(p => p.drift) }]);
    show(map, entities.map(partitions));
    await loadDrift();
  }

  async function loadDrift() {
    const { items, nextCursor } = await get(`/reconcile/drift?limit=${shownDrift}`);
    const values = viewer.may('operate');
    show(drift, items.length === 0 ? h('p', {}, 'No open differences.') : h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': 'Open differences' }, h('table', { class: 'stack' },
      h('caption', {}, `Open differences, the newest first${nextCursor ? `: the first ${shownDrift}` : ''}`),
      h('thead', {}, h('tr', {}, ['Row', 'What', 'Field', ...(values ? ['Odoo', 'Engine'] : []), 'First seen'].map(t => h('th', { scope: 'col' }, t)))),
      h('tbody', {}, items.map(d => h('tr', {},
        h('th', { scope: 'row' }, `${d.entity} ${d.key}`), h('td', { 'data-label': 'What' }, d.kind), h('td', { 'data-label': 'Field' }, d.field === '*' ? 'whole row' : d.field),
        values && [h('td', { class: 'v mono', 'data-label': 'Odoo' }, value(d.odooValue, d.kind === 'extra')), h('td', { class: 'v mono', 'data-label': 'Engine' }, value(d.engineValue, d.kind === 'missing'))],
        h('td', { 'data-label': 'First seen' }, `${moment(d.firstSeen)}, run ${d.firstRun}`)))))));
  }
}

const value = (text, noRow) => text ?? (noRow ? '(no row)' : 'NULL');

const kinds = { drift: ['✕', 'with drift'], partly: ['~', 'partly not compared'], none: ['·', 'nothing compared'], equal: ['', 'equal'] };

function kindOf(n) {
  return n.drift > 0 ? 'drift' : n.notCompared > 0 ? 'partly' : n.compared === 0 ? 'none' : 'equal';
}

/** A square for each range of keys, with the same in words for readers who do not see colours. */
function partitions(entity) {
  const all = entity.partitions.map(p => ({ ...p, kind: kindOf(p.numbers) }));
  const summary = Object.keys(kinds).map(k => [k, all.filter(p => p.kind === k).length]).filter(([, n]) => n > 0).map(([k, n]) => `${n} ${kinds[k][1]}`).join(', ');
  return [
    h('h3', {}, `${entity.entity}: ${entity.state === 'stopped' ? 'stopped, not compared' : `${all.length} ${all.length === 1 ? 'partition' : 'partitions'}, ${summary}`}`),
    h('ul', { class: 'map', 'aria-label': `Partitions of ${entity.entity}` }, all.map(p => {
      const range = `keys ${p.fromKey ?? 'from the first'} to ${p.toKey ?? 'the last'}: ${count(p.numbers.compared)} compared, ${count(p.numbers.drift)} differ`;
      return h('li', { class: p.kind, title: range }, h('span', { 'aria-hidden': 'true' }, kinds[p.kind][0]), h('span', { class: 'hidden' }, `${kinds[p.kind][1]}, ${range}`));
    })),
  ];
}
