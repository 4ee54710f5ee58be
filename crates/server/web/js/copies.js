// Copies of one picture, in groups. Only shows; nothing is changed.

import * as api from './api.js';
import { h, icon } from './dom.js';
import { copyText } from './panel.js';
import { bytes, number, t, told } from './prefs.js';
import * as store from './store.js';

const PAGE = 100;

export function copies() {
  const list = h('div.groups');
  const count = h('p.note', { 'aria-live': 'polite' });
  const others = h('button.plain', { type: 'button', hidden: true }, icon('copy'), t('copy_list'));
  const keep = h('select', { id: 'keep', onchange: () => store.change({ keep: keep.value }) },
    ['largest', 'oldest', 'newest'].map(name => h('option', { value: name }, t(`keep_${name}`))));
  const exact = h('input', { type: 'checkbox', onchange: () => store.change({ exact: exact.checked }) });
  const node = h('section.copies', { 'aria-label': t('copies_title') },
    h('h1', {}, t('copies_title')),
    h('p.note', {}, t('copies_note')),
    h('div.row', {},
      h('label.field.inline', {}, h('span', {}, t('keep')), keep),
      h('label.check', {}, exact, h('span', {}, t('exact'))),
      others),
    count, list);
  let asking = null;
  let shown = '';
  others.addEventListener('click', () => copyText(others.paths.join('\n')));

  async function show(revision) {
    const { view, keep: best, exact: only, filter } = store.state();
    node.hidden = view !== 'copies';
    const wanted = JSON.stringify([best, only, filter, revision]);
    if (node.hidden || shown === wanted) return;
    shown = wanted;
    [keep.value, exact.checked] = [best, only];
    asking?.abort();
    asking = new AbortController();
    count.textContent = t('looking');
    list.replaceChildren();
    others.hidden = true;
    try {
      draw(await api.duplicates({ ...filter, keep: best, exact: only }, asking.signal));
    } catch (error) {
      if (error.name === 'AbortError') return;
      shown = '';
      count.textContent = told(error);
    }
  }

  function draw(groups) {
    const rest = groups.flatMap(group => group.files.slice(1));
    others.paths = rest.map(file => `${store.served.pictures.folder}/${file.path}`);
    others.hidden = !rest.length;
    if (!groups.length) {
      count.textContent = '';
      list.replaceChildren(h('div.empty', {}, icon('check'), h('h2', {}, t('copies_none')), h('p', {}, t('copies_none_help'))));
      return;
    }
    const size = rest.reduce((sum, file) => sum + file.bytes, 0);
    count.textContent = t('copies_count', { groups: number(groups.length), files: number(rest.length), bytes: bytes(size) });
    let next = 0;
    const more = h('button.plain', { type: 'button', onclick: add }, t('show_more'));
    function add() {
      more.remove();
      list.append(...groups.slice(next, next + PAGE).map(group));
      next += PAGE;
      if (next < groups.length) list.append(more);
    }
    add();
  }
  return { node, show };
}

function group({ files }) {
  return h('ul.group', {}, files.map(file => h(`li.copy${file.likeness === 'kept' ? '.kept' : ''}`, {},
    h('button.pic', {
      type: 'button', 'aria-label': file.path, onclick: () => store.change({ pic: file.id }),
    }, h('img.there', { alt: '', src: api.thumbnail(file.id), loading: 'lazy' })),
    h('span.likeness', {}, file.likeness === 'kept' ? icon('check') : null, t(file.likeness)),
    h('span.path', { title: file.path }, h('bdi', {}, file.path)),
    h('span.note', {}, `${number(file.width)} × ${number(file.height)} · ${bytes(file.bytes)}`))));
}
