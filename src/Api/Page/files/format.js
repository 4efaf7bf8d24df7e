const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const unknown = '–';

export const count = n => n === null || n === undefined ? unknown : whole.format(n);

export const perSecond = n => n === null || n === undefined ? unknown : `${n < 10 ? n.toFixed(1) : whole.format(n)}/s`;

/** Seconds as people say them. */
export function duration(s) {
  if (s === null || s === undefined) return unknown;
  if (s < 1) return s < 0.01 ? `${(s * 1000).toFixed(1)} ms` : `${Math.round(s * 1000)} ms`;
  if (s < 60) return `${s.toFixed(s < 10 ? 1 : 0)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.round(s % 3600 / 60)} min`;
  return `${Math.round(s / 86400)} days`;
}

export function bytes(n) {
  if (n === null || n === undefined) return unknown;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit++; }
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

/** Never rounded up to 100 %: one row in a million shows. */
export function rate(r) {
  if (r === null || r === undefined) return unknown;
  if (r === 1) return '100 %';
  for (let digits = 2; digits < 8; digits++) {
    const text = (Math.floor(r * 100 * 10 ** digits) / 10 ** digits).toFixed(digits);
    if (Number(text) < 100 && 100 - Number(text) < 1.5 * (100 - r * 100)) return `${text} %`;
  }
  return '99.99999 %';
}

export const clock = at => new Date(at).toLocaleTimeString('en-GB');

/** In the reader's own time, with the date where it is not today. */
export function moment(at) {
  if (!at) return unknown;
  const date = new Date(at);
  const day = date.toDateString() === new Date().toDateString() ? '' : `${date.toLocaleDateString('sv')} `;
  return day + date.toLocaleTimeString('en-GB');
}

export const words = text => text.replaceAll('-', ' ');
