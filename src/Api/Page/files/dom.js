// Elements are made by the DOM, never from text: what comes from a database is only ever text here.

/** h('td', { class: 'n' }, 'text', otherElement, null): null and false are left out. Attributes that begin with "on" are listeners. */
export function h(tag, attributes = {}, ...children) {
  const element = tag === 'svg' || h.svg.has(tag) ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== false));
  return element;
}
h.svg = new Set(['path', 'line', 'circle', 'text', 'g']);

export const byId = id => document.getElementById(id);

/** Replaces what is within, but only when it differs: a screen reader, a selection or the focus in it is not disturbed every second. */
export function show(parent, ...children) {
  const fresh = children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== false);
  const next = document.createElement('div');
  next.append(...fresh);
  if (parent.innerHTML !== next.innerHTML) parent.replaceChildren(...next.childNodes);
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Says, also to a screen reader, what became of an action. */
export function say(text) {
  const said = byId('said');
  said.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.textContent = ''; }, 8000);
}
