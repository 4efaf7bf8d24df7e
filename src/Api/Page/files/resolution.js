// Points come every second while the page is open, and every 15 seconds before: joined in one line they look like saw teeth.

const fine = 2_500, coarse = 15_000;

/** The points in one resolution: as they are, or where any of them are further apart than a second, in steps of 15 seconds.
    Of a step the highest lag and latencies count, and the mean of the rates. */
export function even(points) {
  if (!points.some((p, i) => i > 0 && p.at - points[i - 1].at > fine)) return points;
  const steps = [];
  for (const p of points) {
    const step = Math.floor(p.at / coarse);
    if (steps.at(-1)?.step === step) steps.at(-1).points.push(p);
    else steps.push({ step, points: [p] });
  }
  return steps.map(s => joined(s.points));
}

function joined(points) {
  const last = points.at(-1);
  return {
    at: last.at,
    lag: last.lag.map((_, i) => highest(points.map(p => p.lag[i] ?? null))),
    rows: mean(points.map(p => p.rows)),
    p50: highest(points.map(p => p.p50)),
    p99: highest(points.map(p => p.p99)),
  };
}

const known = values => values.filter(v => v !== null && v !== undefined);
const highest = values => known(values).length === 0 ? null : Math.max(...known(values));
const mean = values => known(values).length === 0 ? null : known(values).reduce((sum, v) => sum + v, 0) / known(values).length;
