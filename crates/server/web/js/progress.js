// How far indexing is, in a thin line under the head, and which files were refused.

import * as api from './api.js';
import { h, icon } from './dom.js';
import { dialog } from './dialog.js';
import { duration, number, t, told } from './prefs.js';

export function progress() {
  const meter = h('progress', { max: 1, value: 0, 'aria-label': t('indexing', { done: '', total: '' }) });
  const text = h('span', {});
  const refused = h('button.link', { type: 'button', hidden: true, onclick: list });
  const node = h('div.progress', { hidden: true }, meter, h('p', {}, text, refused));

  function show(now, failures) {
    const failed = now.running ? now.failed : failures;
    node.hidden = !now.running && !now.error;
    node.classList.toggle('bad', Boolean(now.error));
    meter.hidden = !now.running;
    meter.value = now.total ? now.done / now.total : 0;
    if (now.error) text.textContent = t('index_error', { error: now.error });
    else if (now.running) {
      const rate = now.rate < 10 ? now.rate.toFixed(1) : number(Math.round(now.rate));
      const often = now.done > 2 ? ` · ${t('indexing_rate', { rate, left: duration(now.left) })}` : '';
      text.textContent = t('indexing', { done: number(now.done), total: number(now.total) }) + often;
    }
    refused.hidden = !failed;
    refused.textContent = t('refused', { n: number(failed) });
  }
  return { node, show };
}

export async function list() {
  const body = h('div', {});
  dialog(t('refused_title'), 'refused', body);
  try {
    const files = await api.failures();
    body.replaceChildren(files.length
      ? h('ul.refused-list', {}, files.map(({ path, reason }) => h('li', {}, h('strong', {}, path), h('span.note', {}, reason))))
      : h('p.note', {}, t('refused_none')));
  } catch (error) {
    body.replaceChildren(h('p.note.bad', {}, icon('warn'), told(error)));
  }
}
