// Short news at the bottom of the page.

import { h, icon } from './dom.js';

export function toast(text, kind = 'info') {
  const node = h(`div.toast.${kind}`, {}, icon(kind === 'bad' ? 'warn' : 'check'), h('span', {}, text));
  document.getElementById('toasts').append(node);
  setTimeout(() => node.classList.add('leaving'), kind === 'bad' ? 7000 : 2200);
  setTimeout(() => node.remove(), kind === 'bad' ? 7400 : 2600);
}
