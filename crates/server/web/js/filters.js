// Which pictures may come: a strip of fields under the head, and a pill for each that is set.

import * as api from './api.js';
import { h, icon } from './dom.js';
import { bytes, number, t } from './prefs.js';
import * as store from './store.js';

const SIDES = [640, 1000, 2000, 4000];
const SIZES = [100_000, 1_000_000, 5_000_000, 20_000_000];

export function filters() {
  const folder = h('select', { id: 'f-folder' });
  const size = h('select', { id: 'f-size' },
    h('option', { value: '' }, t('any_size')),
    SIDES.map(side => h('option', { value: `min_side=${side}` }, t('at_least_px', { n: number(side) }))),
    SIDES.map(side => h('option', { value: `max_side=${side}` }, t('at_most_px', { n: number(side) }))));
  const weight = h('select', { id: 'f-bytes' },
    h('option', { value: '' }, t('any_bytes')),
    SIZES.map(value => h('option', { value: `min_bytes=${value}` }, t('at_least_bytes', { n: bytes(value) }))),
    SIZES.map(value => h('option', { value: `max_bytes=${value}` }, t('at_most_bytes', { n: bytes(value) }))));
  const name = h('input', { id: 'f-name', type: 'search', autocomplete: 'off', spellcheck: false });
  const after = h('input', { id: 'f-after', type: 'date', min: '1900-01-01', max: '2200-12-31' });
  const before = h('input', { id: 'f-before', type: 'date', min: '1900-01-01', max: '2200-12-31' });
  const field = (text, input) => h('label.field', {}, h('span', {}, t(text)), input);
  const node = h('form.filters', { 'aria-label': t('filters'), hidden: true, onsubmit: event => event.preventDefault() },
    field('folder', folder), field('name', name), field('after', after), field('before', before),
    field('size', size), field('bytes', weight),
    h('button.plain', { type: 'button', onclick: () => store.change({ filter: {} }) }, icon('close'), t('clear_filters')));

  folder.addEventListener('change', () => store.setFilter({ folder: folder.value }));
  name.addEventListener('change', () => store.setFilter({ name: name.value.trim() }));
  after.addEventListener('change', () => store.setFilter({ after: after.value }));
  before.addEventListener('change', () => store.setFilter({ before: before.value }));
  const pair = (select, least, most) => select.addEventListener('change', () => {
    const [key, value] = select.value.split('=');
    store.setFilter({ [least]: 0, [most]: 0, ...(key ? { [key]: Number(value) } : {}) });
  });
  pair(size, 'min_side', 'max_side');
  pair(weight, 'min_bytes', 'max_bytes');

  function choose(select, value, label) {
    if (value && ![...select.options].some(option => option.value === value)) {
      select.append(h('option', { value }, label));
    }
    select.value = value;
  }
  function draw() {
    const { filter } = store.state();
    choose(folder, filter.folder ?? '', filter.folder);
    [name.value, after.value, before.value] = [filter.name ?? '', filter.after ?? '', filter.before ?? ''];
    const one = (...keys) => keys.filter(key => filter[key]).map(key => `${key}=${filter[key]}`)[0] ?? '';
    const side = one('min_side', 'max_side');
    choose(size, side, pill(side.split('=')[0], filter));
    const heavy = one('min_bytes', 'max_bytes');
    choose(weight, heavy, pill(heavy.split('=')[0], filter));
  }
  async function fill() {
    const chosen = folder.value;
    const all = await api.folders().catch(() => []);
    folder.replaceChildren(h('option', { value: '' }, t('any_folder')),
      ...all.map(({ path, files }) => h('option', { value: path }, `${path} (${number(files)})`)));
    choose(folder, chosen, chosen);
  }
  fill();
  store.listen((now, then) => {
    if (!store.same(now.filter, then.filter)) draw();
  });
  draw();
  return { node, fill, toggle: () => ((node.hidden = !node.hidden), node.hidden || folder.focus(), !node.hidden) };
}

export function pill(name, filter) {
  const value = filter[name];
  return {
    folder: () => value, name: () => `“${value}”`, after: () => `≥ ${value}`, before: () => `< ${value}`,
    min_side: () => t('at_least_px', { n: number(value) }), max_side: () => t('at_most_px', { n: number(value) }),
    min_bytes: () => t('at_least_bytes', { n: bytes(value) }), max_bytes: () => t('at_most_bytes', { n: bytes(value) }),
  }[name]?.() ?? '';
}
