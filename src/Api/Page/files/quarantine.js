import { get, post, Problem } from './api.js';
import { question, inform } from './dialogs.js';
import { byId, h, say, show } from './dom.js';
import { count, moment } from './format.js';

/** Rows that could not be applied; with the scope operate they can be looked into, retried and discarded. */
export function quarantine(viewer) {
  return { load, unread: why => show(byId('quarantine'), why) };

  async function load() {
    const { entries, total } = await get('/quarantine?limit=100');
    if (total === 0) {
      show(byId('quarantine'), h('p', { class: 'good' }, 'Empty: every row was applied.'));
      return;
    }
    const may = viewer.may('operate');
    show(byId('quarantine'),
      !may && h('p', { class: 'quiet' }, 'To look into rows, retry or discard them a key with the scope operate is needed.'),
      h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': 'Rows in quarantine' }, h('table', { class: 'stack' },
        h('caption', {}, `${count(total)} rows that could not be applied, the oldest first${total > entries.length ? `; ${entries.length} are shown` : ''}`),
        h('thead', {}, h('tr', {}, ['Row', 'Reason', 'Detail', 'Since', 'Attempts', ...(may ? ['Actions'] : [])].map(t => h('th', { scope: 'col' }, t)))),
        h('tbody', {}, entries.map(e => row(e, may))))));
  }

  function row(e, may) {
    const name = `${e.entity} ${e.key}`;
    return h('tr', {},
      h('th', { scope: 'row' }, name), h('td', { 'data-label': 'Reason', class: 'mono' }, e.reason), h('td', { 'data-label': 'Detail', class: 'v' }, e.detail),
      h('td', { 'data-label': 'Since' }, moment(e.firstSeen)), h('td', { 'data-label': 'Attempts' }, e.attempts, e.retryRequested && ', asked to retry'),
      may && h('td', {}, h('div', { class: 'actions' },
        h('button', { type: 'button', 'aria-label': `Explain ${name}`, onclick: () => explain(e, name) }, 'Explain'),
        h('button', { type: 'button', 'aria-label': `Retry ${name}`, disabled: e.retryRequested, onclick: () => act(e, name, 'retry') }, 'Retry'),
        h('button', { type: 'button', 'aria-label': `Discard ${name}`, onclick: () => act(e, name, 'discard') }, 'Discard'))));
  }

  async function explain(e, name) {
    try {
      const { entry, because, whatToDo } = await get(`/quarantine/${encodeURIComponent(e.entity)}/${e.key}`);
      inform(`${name} in quarantine`, h('p', {}, because), h('p', { class: 'quiet' }, `Position ${entry.position}, committed ${moment(entry.commitAt)}, last tried ${moment(entry.lastSeen)}.`),
        h('h3', {}, "Odoo's row"), h('pre', { tabindex: '0' }, entry.sourceRow === null ? 'not kept' : JSON.stringify(entry.sourceRow, null, 2)), h('h3', {}, 'What to do'), h('ul', {}, whatToDo.map(t => h('li', {}, t))));
    } catch (problem) {
      failed(problem);
    }
  }

  async function act(e, name, what) {
    const answer = await question(what === 'retry'
      ? { title: `Retry ${name}?`, yes: 'Retry', body: h('p', {}, 'The row is read again from Odoo as it is now. If it still breaks the rule it stays here.') }
      : { title: `Discard ${name}?`, yes: 'Discard', danger: true, body: h('p', {}, 'The entry is forgotten, with the change that it holds: the engine keeps the version of the row that it had, or none, until Odoo changes the row again. This cannot be undone.') });
    if (answer === null) return;
    try {
      await post(`/quarantine/${encodeURIComponent(e.entity)}/${e.key}/${what}`);
      say(what === 'retry' ? `${name} is read again.` : `${name} is discarded.`);
      await load();
    } catch (problem) {
      failed(problem);
    }
  }
}

export function failed(problem) {
  if (!(problem instanceof Problem)) throw problem;
  say(`That failed: ${problem.message}`);
}
