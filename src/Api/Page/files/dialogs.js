// One dialog at a time; Escape and "Cancel" are the same answer.
import { byId, h } from './dom.js';

/** fields: { name: element }. Resolves to the element's values by name, or null. */
export function question({ title, body, fields = {}, yes, danger = false }) {
  const dialog = byId('dialog');
  const form = h('form', { method: 'dialog' },
    h('h2', { id: 'dialog-title' }, title), body, Object.values(fields).map(f => f.label),
    h('div', { class: 'actions' },
      h('button', { type: 'button', onclick: () => dialog.close('no') }, 'Cancel'),
      h('button', { type: 'submit', value: 'yes', class: danger ? 'danger' : 'main' }, yes)));
  dialog.replaceChildren(form);
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise(done => dialog.addEventListener('close', () =>
    done(dialog.returnValue === 'yes' ? Object.fromEntries(Object.entries(fields).map(([name, f]) => [name, f.input.type === 'checkbox' ? f.input.checked : f.input.value])) : null), { once: true }));
}

/** Something to read. */
export function inform(title, ...body) {
  const dialog = byId('dialog');
  dialog.replaceChildren(h('h2', { id: 'dialog-title' }, title), ...body, h('div', { class: 'actions' }, h('button', { type: 'button', class: 'main', onclick: () => dialog.close() }, 'Close')));
  dialog.showModal();
}

export function field(text, attributes) {
  const input = h('input', attributes);
  return { input, label: attributes.type === 'checkbox' ? h('label', { class: 'check' }, input, text) : h('label', {}, text, input) };
}
