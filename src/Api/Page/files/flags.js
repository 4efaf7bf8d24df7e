import { get, post } from './api.js';
import { field, question, inform } from './dialogs.js';
import { byId, h, say, show } from './dom.js';
import { moment } from './format.js';
import { failed } from './quarantine.js';

/** Flags, their changes, and changing them with the scope operate or cutover. */
export function flags(viewer) {
  return { load, unread: why => show(byId('flags'), why) };

  async function load() {
    const all = await get('/feature-flags');
    const may = viewer.may('operate') || viewer.may('cutover');
    show(byId('flags'),
      all.length === 0 ? h('p', { class: 'quiet' }, 'There are none yet.') : h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': 'All feature flags' }, h('table', { class: 'stack' },
        h('thead', {}, h('tr', {}, ['Flag', 'State', 'Percentage', 'Companies', 'Changed', 'Actions'].map(t => h('th', { scope: 'col' }, t)))),
        h('tbody', {}, all.map(f => row(f, may))))),
      may && h('p', {}, h('button', { type: 'button', onclick: () => change(null) }, 'New flag …')));
  }

  function row(f, may) {
    return h('tr', {},
      h('th', { scope: 'row' }, f.name), h('td', { 'data-label': 'State' }, h('span', { class: `badge ${f.enabled ? 'good' : 'quiet'}` }, f.enabled ? 'on' : 'off')),
      h('td', { 'data-label': 'Percentage' }, `${f.percentage} % of cards`), h('td', { 'data-label': 'Companies' }, f.companies.length ? f.companies.join(', ') : 'all'),
      h('td', { 'data-label': 'Changed' }, `${moment(f.updatedAt)} by ${f.updatedBy}`),
      h('td', {}, h('div', { class: 'actions' },
        may && h('button', { type: 'button', 'aria-label': `Change ${f.name}`, onclick: () => change(f) }, 'Change'),
        h('button', { type: 'button', 'aria-label': `History of ${f.name}`, onclick: () => history(f) }, 'History'))));
  }

  async function history(f) {
    try {
      const changes = await get(`/feature-flags/${encodeURIComponent(f.name)}/changes`);
      inform(`Changes of ${f.name}`, h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': 'Changes' }, h('table', {},
        h('thead', {}, h('tr', {}, ['When', 'By', 'From', 'To'].map(t => h('th', { scope: 'col' }, t)))),
        h('tbody', {}, changes.map(c => h('tr', {}, h('td', {}, moment(c.changedAt)), h('td', {}, c.changedBy, c.address && h('span', { class: 'quiet' }, ` ${c.address}`)), h('td', {}, words(c.before)), h('td', {}, words(c.after))))))));
    } catch (problem) {
      failed(problem);
    }
  }

  /** Two steps: what it shall be, then what that changes. */
  async function change(f) {
    const wanted = await question({
      title: f ? `Change ${f.name}` : 'New flag', yes: 'Go on', body: null,
      fields: {
        ...(f ? {} : { name: field('Name', { type: 'text', required: true, pattern: '[a-z0-9][a-z0-9._\\-]{0,63}', placeholder: 'rust-engine' }) }),
        enabled: field('On', { type: 'checkbox', checked: f?.enabled ?? false }),
        percentage: field('Percentage of cards', { type: 'number', min: 0, max: 100, step: 0.01, required: true, value: f?.percentage ?? 100 }),
        companies: field("Companies (Odoo's ids with commas between; empty: all)", { type: 'text', pattern: '[0-9]*( *, *[0-9]+)*', value: f?.companies.join(', ') ?? '' }),
      },
    });
    if (wanted === null) return;
    const name = f?.name ?? wanted.name;
    const after = { enabled: wanted.enabled, percentage: Number(wanted.percentage), companies: wanted.companies.split(',').map(c => c.trim()).filter(Boolean).map(Number) };
    const sure = await question({
      title: `${f ? 'Change' : 'Make'} ${name}?`, yes: f ? 'Change it' : 'Make it', danger: true,
      body: h('dl', { class: 'facts' }, f && [h('dt', {}, 'Now'), h('dd', {}, words(f))], h('dt', {}, 'Then'), h('dd', {}, words(after)), h('dt', {}, 'By'), h('dd', {}, viewer.name)),
    });
    if (sure === null) return;
    try {
      await post(`/feature-flags/${encodeURIComponent(name)}`, after);
      say(`${name} is ${words(after)}.`);
      await load();
    } catch (problem) {
      failed(problem);
    }
  }
}

const words = f => f === null ? 'not there' : `${f.enabled ? 'on' : 'off'}, ${f.percentage} %, ${f.companies.length ? `companies ${f.companies.join(', ')}` : 'all companies'}`;
