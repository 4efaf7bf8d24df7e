import { lineChart } from './chart.js';
import { byId, h, show } from './dom.js';
import { count, duration, perSecond } from './format.js';

/** Returns what draws the three charts and the table of partitions. */
export function lineCharts() {
  const lag = lineChart(byId('lag-chart'), { name: 'Lag', format: duration });
  const rate = lineChart(byId('rate-chart'), { name: 'Row changes applied', format: perSecond, floor: 5 });
  const latency = lineChart(byId('latency-chart'), { name: 'Commit in Odoo to visible in the engine', format: duration, floor: 0.01 });
  return (state, points) => {
    const times = points.map(p => p.at);
    lag(times, merged(state.topics.map((topic, i) => ({ name: topic, values: points.map(p => p.lag[i] ?? null) }))));
    rate(times, [{ name: 'applied', values: points.map(p => p.rows) }]);
    latency(times, [{ name: 'p99', values: points.map(p => p.p99) }, { name: 'p50', values: points.map(p => p.p50) }]);
    show(byId('lag-rows'), state.lag.partitions.map(p => h('tr', {},
      h('th', { scope: 'row' }, p.topic), h('td', {}, p.partition), h('td', { class: 'n' }, duration(p.seconds)), h('td', { class: 'n' }, count(p.messages)),
      h('td', { class: 'mono' }, p.applied ?? '–'), h('td', { class: 'mono' }, p.end ?? '–'))));
  };
}

/** Topics of one partition have one lag: their lines would hide each other. */
function merged(series) {
  const groups = new Map();
  for (const s of series) {
    const same = s.values.join();
    groups.has(same) ? groups.get(same).names.push(s.name) : groups.set(same, { names: [s.name], values: s.values });
  }
  return [...groups.values()].map(g => ({ name: groups.size === 1 && g.names.length > 1 ? `all ${g.names.length} topics` : g.names.join(', '), values: g.values }));
}
