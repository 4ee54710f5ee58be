// A dialog over the page. The browser keeps the focus inside and gives it back; Escape closes.

import { h, iconButton } from './dom.js';
import { t } from './prefs.js';

export function dialog(title, className, ...children) {
  const node = h(`dialog.${className}`, { 'aria-label': title },
    h('header.dialog-head', {}, h('h2', {}, title), iconButton('close', t('close'), () => node.close())),
    h('div.dialog-body', {}, children));
  node.addEventListener('close', () => node.remove());
  // A click beside it.
  node.addEventListener('pointerdown', event => {
    if (event.target === node) node.close();
  });
  document.getElementById('layer').append(node);
  node.showModal();
  return node;
}
