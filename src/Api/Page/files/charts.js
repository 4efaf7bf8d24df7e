import { lineChart } from './chart.js';
import { byId, h, show } from './dom.js';
import { count, duration, perSecond } from './format.js';
import { even } from './resolution.js';

/** Returns what draws the three charts and the table of partitions, of all points there are. */
export function lineCharts() {
  const lag = lineChart(byId('lag-chart'), { name: 'Lag', format: duration });
  const rate = lineChart(byId('rate-chart'), { name: 'Row changes applied', format: perSecond, floor: 5 });
  const latency = lineChart(byId('latency-chart'), { name: 'Commit in Odoo to visible in the engine', format: duration, floor: 0.01 });
  return (state, all) => {
    const points = even(all), times = points.map(p => p.at);
    lag(times, merged(state.topics.map((topic, i) => ({ name: topic, values: points.map(p => p.lag[i] ?? null) }))));
    rate(times, [{ name: 'applied', values: points.map(p => p.rows) }]);
    latency(times, [{ name: 'p99', values: points.map(p => p.p99) }, { name: 'p50', values: points.map(p => p.p50) }]);
    show(byId('lag-rows'), logs(state.lag.partitions).map(p => h('tr', {},
      h('th', { scope: 'row' }, p.topic), h('td', { 'data-label': 'Partition' }, p.partition), h('td', { class: 'n', 'data-label': 'Lag' }, p.stoppedSeconds == null ? duration(p.seconds) : `stopped for ${duration(p.stoppedSeconds)}`), h('td', { class: 'n', 'data-label': 'Messages' }, count(p.messages)),
      h('td', { class: 'mono', 'data-label': 'Applied up to' }, p.applied ?? '–'), h('td', { class: 'mono', 'data-label': 'End of log' }, p.end ?? '–'))));
  };
}

/** In-process all tables are in one log, Odoo's own: one row says it. */
function logs(partitions) {
  const [first, ...others] = partitions;
  const same = others.length > 0 && others.every(p => ['partition', 'applied', 'end', 'messages', 'seconds', 'stoppedAt'].every(name => p[name] === first[name]));
  return same ? [{ ...first, topic: `all ${partitions.length} tables` }] : partitions;
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
