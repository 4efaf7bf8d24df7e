// One line chart, also in words: a summary for readers who do not see it, and values by arrow keys.
import { h, setText, show } from './dom.js';
import { clock } from './format.js';

const height = 190, left = 58, right = 8, top = 8, bottom = 22;

/** format: how a value is written. floor: what the axis reaches at least. whole: values are counts. */
export function lineChart(parent, { name, format, floor = 1, whole = false }) {
  const svg = h('svg', { role: 'img', tabindex: '0', 'aria-label': name });
  const readout = h('p', { class: 'readout' });
  const legend = h('ul', { class: 'legend' });
  const root = h('div', { class: 'chart' }, svg, readout, legend);
  parent.replaceChildren(root);
  let times = [], series = [], at = null;

  new ResizeObserver(draw).observe(root);
  svg.addEventListener('pointermove', e => { at = nearest(e.clientX - svg.getBoundingClientRect().left); draw(); });
  svg.addEventListener('pointerleave', () => { at = null; draw(); });
  svg.addEventListener('blur', () => { at = null; readout.removeAttribute('aria-live'); draw(); });
  svg.addEventListener('keydown', e => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[e.key];
    if (step === undefined || times.length === 0) return;
    e.preventDefault();
    readout.setAttribute('aria-live', 'polite');
    at = Math.max(0, Math.min(times.length - 1, (at ?? times.length - 1) + step));
    draw();
  });

  /** newTimes: Unix milliseconds. newSeries: [{ name, values }], as long; null is a gap. */
  return (newTimes, newSeries) => {
    times = newTimes;
    series = newSeries;
    draw();
  };

  function x(index, width) {
    const [first, last] = [times[0], times.at(-1)];
    return left + (last === first ? 1 : (times[index] - first) / (last - first)) * (width - left - right);
  }

  function nearest(px) {
    let best = null;
    for (let i = 0; i < times.length; i++)
      if (best === null || Math.abs(x(i, svg.clientWidth) - px) < Math.abs(x(best, svg.clientWidth) - px)) best = i;
    return best;
  }

  function draw() {
    const width = svg.clientWidth;
    if (width === 0) return;
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const highest = Math.max(floor, ...series.flatMap(s => s.values.filter(v => v !== null)));
    const step = Math.max(nice(highest / 3), whole ? 1 : 0), ceiling = Math.ceil(highest / step) * step;
    const y = v => top + (1 - v / ceiling) * (height - top - bottom);
    const parts = [];
    for (let v = 0; v <= ceiling + step / 2; v += step) {
      parts.push(h('line', { class: 'axis', x1: left, x2: width - right, y1: y(v), y2: y(v) }));
      parts.push(h('text', { x: left - 6, y: y(v) + 4, 'text-anchor': 'end' }, v === 0 ? '0' : format(v)));
    }
    if (times.length > 0) {
      if (times.length > 1) parts.push(h('text', { x: left, y: height - 6 }, clock(times[0])));
      parts.push(h('text', { x: width - right, y: height - 6, 'text-anchor': 'end' }, clock(times.at(-1))));
      series.forEach((s, i) => parts.push(...lines(s.values, i, width, y)));
    }
    if (at !== null && at < times.length) {
      parts.push(h('line', { class: 'cursor', x1: x(at, width), x2: x(at, width), y1: top, y2: height - bottom }));
      series.forEach((s, i) => { if (s.values[at] !== null) parts.push(h('circle', { class: `c${i % 6 + 1}`, cx: x(at, width), cy: y(s.values[at]), r: 3.5 })); });
    }
    svg.replaceChildren(...parts);
    const index = at === null ? times.length - 1 : Math.min(at, times.length - 1);
    show(legend, series.map((s, i) => h('li', {}, h('i', { class: `c${i % 6 + 1}` }), `${s.name} `, h('strong', {}, index < 0 ? '' : format(s.values[index])))));
    setText(readout, at === null ? '' : `${clock(times[index])}: ${series.map(s => `${s.name} ${format(s.values[index])}`).join(', ')}`);
    svg.setAttribute('aria-label', summary());
  }

  /** A line for each stretch without a gap, the first series with its area; a dot where there is no line to draw. */
  function lines(values, number, width, y) {
    const stretches = [];
    values.forEach((v, i) => {
      if (v === null) return;
      if (i === 0 || values[i - 1] === null) stretches.push([]);
      stretches.at(-1).push([x(i, width).toFixed(1), y(v).toFixed(1)]);
    });
    return stretches.flatMap(points => {
      const colour = `c${number % 6 + 1}`;
      if (points.length === 1) return [h('circle', { class: colour, cx: points[0][0], cy: points[0][1], r: 2 })];
      const line = `M${points.map(p => p.join(' ')).join('L')}`;
      return [
        number === 0 && h('path', { class: `area ${colour}`, d: `${line}L${points.at(-1)[0]} ${y(0)}L${points[0][0]} ${y(0)}Z` }),
        h('path', { class: colour, d: line }),
      ].filter(Boolean);
    });
  }

  function summary() {
    if (times.length === 0) return `${name}: nothing yet.`;
    const parts = series.map(s => {
      const known = s.values.filter(v => v !== null);
      return known.length === 0 ? `${s.name}: not known` : `${s.name}: now ${format(s.values.at(-1))}, highest ${format(Math.max(...known))}`;
    });
    return `${name} since ${clock(times[0])}. ${parts.join('; ')}. Arrow keys read values.`;
  }
}

/** 1, 2 or 5 times a power of ten, not below. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find(m => m * power >= value * 0.999) * power;
}
