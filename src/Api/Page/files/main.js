import { get, key, Problem } from './api.js';
import { lineCharts } from './charts.js';
import { consistency } from './consistency.js';
import { field, question } from './dialogs.js';
import { byId, h, setText, show } from './dom.js';
import { flags } from './flags.js';
import { follow } from './live.js';
import { quarantine } from './quarantine.js';
import { servers } from './servers.js';
import { tables } from './tables.js';
import { tiles } from './tiles.js';

const kept = 900;
const viewer = { name: '', scopes: [], may: scope => viewer.scopes.includes(scope) };
const charts = lineCharts();
/** Lists that are read when they have changed. Each may fail by itself, and is tried again with the next tick. */
const lists = { quarantine: quarantine(viewer), runs: consistency(viewer), flags: flags(viewer) };
const seen = {}, loaded = new Set();
let points = [], asking = false;

byId('key').addEventListener('click', askForKey);
const restart = follow({ onTick, onState });
loadCaller();

function onTick(tick) {
  points = (tick.reset ? [] : points).concat(tick.points).slice(-kept);
  const { state } = tick;
  setText(byId('version'), state.version);
  const badge = byId('health');
  setText(badge, state.health.status);
  badge.className = `badge ${{ healthy: 'good', degraded: 'warn', unhealthy: 'bad' }[state.health.status]}`;
  // A gap is said once: that the pipeline stands still for it is no other news.
  const told = state.health.checks.some(c => c.name === 'gap' && c.detail) ? ['state', 'pipeline'] : [];
  show(byId('notices'), state.health.checks.filter(c => c.detail && !told.includes(c.name)).map(c => h('li', { class: c.status === 'unhealthy' || c.name === 'gap' ? 'bad' : 'warn' }, c.detail, why(c.name, state.status))));
  tiles(state, points, lists.runs.latest);
  charts(state, points);
  tables(state);
  servers(state);
  for (const name of Object.keys(lists)) {
    const mark = state.marks?.[name] ?? null;
    // What is shown stays while the engine is away; what never was says why.
    if (mark === null) { if (!loaded.has(name)) lists[name].unread(h('p', { class: 'warn' }, 'The engine cannot be read.')); }
    else if (mark !== seen[name]) refresh(name, mark);
  }
}

/** What health does not say, because it is open without a key. */
function why(check, { pipeline, alerts, entities }) {
  const reasons = check === 'pipeline' || check === 'gap' ? pipeline?.reason ? [`${pipeline.reason} ${pipeline.remedy}`] : []
    : check === 'alerts' ? (alerts ?? []).map(a => `${a.name}: ${a.message}`)
    : check === 'tables' ? entities.filter(e => e.reason).map(e => `${e.entity}: ${e.reason}`) : [];
  return reasons.map(text => h('span', { class: 'why' }, text));
}

async function refresh(name, mark) {
  seen[name] = mark;
  try {
    await lists[name].load(mark);
    loaded.add(name);
  } catch (e) {
    if (!(e instanceof Problem)) throw e;
    delete seen[name];
  }
}

function onState(state, problem) {
  setText(byId('connection'), state === 'live' ? 'Live' : problem ? `${problem.message} Trying again …` : 'Connection lost. Trying again …');
  byId('connection').className = state === 'live' ? 'good' : 'bad';
  if (state !== 'live') setText(byId('health'), 'not connected');
  if (problem?.status === 401) askForKey();
}

async function loadCaller() {
  try {
    Object.assign(viewer, await get('/caller'));
  } catch (e) {
    if (!(e instanceof Problem)) throw e;
    Object.assign(viewer, { name: '', scopes: [] });
    // Without an engine the key cannot be checked: asked again later.
    if (e.status !== 401 && e.status !== 403) setTimeout(loadCaller, 3000);
  }
  setText(byId('caller'), viewer.name ? `You are ${viewer.name}: ${viewer.scopes.join(', ')}` : '');
  for (const name of Object.keys(lists)) delete seen[name];
}

async function askForKey() {
  if (asking) return;
  asking = true;
  const given = await question({
    title: 'Key of the Api', yes: 'Use this key',
    body: h('p', {}, 'The scope read is enough to see this page; operate is needed to change something. ', h('code', {}, 'cdc keys create NAME --scope read --scope operate'), ' makes a key. It is kept in this tab until the tab is closed.'),
    fields: { key: field('Key', { type: 'password', autocomplete: 'off', value: key.value }) },
  });
  asking = false;
  if (given === null) return;
  key.value = given.key.trim();
  await loadCaller();
  restart();
}
