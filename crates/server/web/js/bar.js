// The search bar: words, a chosen, pasted or dropped picture, and the chips of the query.

import * as api from './api.js';
import { h, icon, iconButton } from './dom.js';
import { edit } from './edit.js';
import { t, told } from './prefs.js';
import * as store from './store.js';
import { toast } from './toast.js';

export const source = part => (part.id !== undefined ? api.thumbnail(part.id) : api.uploaded(part.upload));

export function named(part) {
  if (part.words !== undefined) return t('words_x', { what: part.words });
  return part.id === undefined ? t('upload_x') : t('picture_x', { what: part.id });
}

export function bar() {
  const input = h('input.words', {
    type: 'text', id: 'words', autocomplete: 'off', spellcheck: false, enterKeyHint: 'search', 'aria-label': t('search_pictures'),
  });
  const file = h('input', { type: 'file', accept: 'image/*', hidden: true, tabIndex: -1, 'aria-hidden': 'true' });
  const chips = h('ul.chips', { 'aria-label': t('search_pictures') });
  const clear = iconButton('close', t('clear'), () => {
    input.value = '';
    store.change({ terms: [], strict: 0 });
    input.focus();
  });
  const form = h('form.bar', { role: 'search', onsubmit: submit },
    icon('search'), chips, input, clear,
    iconButton('picture', t('choose'), () => file.click(), { id: 'choose' }), file);

  function submit(event) {
    event.preventDefault();
    const words = input.value.trim();
    if (!words) return;
    input.value = '';
    if (store.served.pictures?.words) store.addTerm({ kind: 'w', words, weight: 1, crop: null });
    // A model without words: names of files are all that words can find.
    else store.setFilter({ name: words });
  }
  file.addEventListener('change', () => {
    if (file.files[0]) hand(file.files[0], true);
    file.value = '';
  });
  input.addEventListener('keydown', event => {
    const { terms } = store.state();
    if (event.key === 'Backspace' && !input.value && terms.length) store.dropTerm(terms.length - 1);
  });
  // A click beside the chips is meant for the words.
  form.addEventListener('pointerdown', event => {
    if (event.target === form || event.target === chips) {
      event.preventDefault();
      input.focus();
    }
  });

  function draw() {
    const { terms } = store.state();
    chips.replaceChildren(...terms.map(chip));
    clear.hidden = !terms.length;
    const hint = store.served.pictures?.words ? 'words_or_picture' : 'name_or_picture';
    input.placeholder = t(terms.length ? 'add_more' : hint);
    chips.lastChild?.scrollIntoView({ block: 'nearest', inline: 'end' });
  }
  store.listen((now, before) => {
    if (!store.same(now.terms, before.terms)) draw();
  });
  draw();
  return { node: form, input };
}

function chip(part, at) {
  const minus = part.weight < 0;
  const size = Math.abs(part.weight);
  const name = named(part);
  const body = part.words !== undefined
    ? h('span.chip-words', {}, part.words)
    : h('span.chip-thumb', {}, cropped(part));
  return h(`li.chip${minus ? '.minus' : ''}`, {},
    h('button.chip-main', {
      type: 'button', title: t('edit_part'), onclick: () => edit(at),
      'aria-label': `${minus ? t('less') : t('more')}: ${name}. ${t('edit_part')}`,
    },
    h('span.sign', { 'aria-hidden': 'true' }, icon(minus ? 'minus' : 'plus')),
    body,
    size === 1 ? null : h('span.chip-weight', {}, `×${Math.round(size * 100) / 100}`)),
    iconButton('close', t('remove_x', { what: name }), () => store.dropTerm(at)));
}

// The thumbnail, or its part.
function cropped(part) {
  const image = h('img', { alt: '', src: source(part) });
  if (part.crop) {
    const [left, top, right, bottom] = part.crop;
    const [width, height] = [right - left, bottom - top];
    Object.assign(image.style, {
      width: `${100 / width}%`, height: `${100 / height}%`, objectFit: 'fill',
      marginLeft: `${-100 * left / width}%`, marginTop: `${-100 * top / width}%`,
    });
  }
  return image;
}

// Hands a picture to the server and searches with it.
export async function hand(file, add) {
  document.body.classList.add('handing');
  try {
    const { upload } = await api.upload(file);
    const part = { kind: 'u', upload, weight: 1, crop: null };
    if (add) store.addTerm(part);
    else store.change({ terms: [part], view: 'grid', strict: 0, pic: null });
  } catch (error) {
    toast(told(error), 'bad');
  } finally {
    document.body.classList.remove('handing');
  }
}

// Pictures that are pasted or dropped anywhere.
export function catching() {
  addEventListener('paste', event => {
    const file = [...event.clipboardData?.files ?? []].find(file => file.type.startsWith('image/'));
    if (file && store.served.pictures) {
      event.preventDefault();
      hand(file, true);
    }
  });
  let zones = null;
  const carries = event => [...event.dataTransfer?.types ?? []].includes('Files') && store.served.pictures;
  const leave = () => {
    zones?.remove();
    zones = null;
  };
  addEventListener('dragenter', event => {
    if (!carries(event) || zones) return;
    const zone = (name, text, add) => h('div.zone', {
      'data-add': add ? '1' : '',
      ondragover: over => over.currentTarget.classList.add('over'),
      ondragleave: out => out.currentTarget.classList.remove('over'),
    }, icon(name), h('span', {}, text));
    zones = h('div.zones', {}, zone('search', t('drop_new'), false),
      store.state().terms.length ? zone('plus', t('drop_add'), true) : null);
    document.body.append(zones);
  });
  addEventListener('dragover', event => {
    if (carries(event)) event.preventDefault();
  });
  addEventListener('dragleave', event => {
    if (!event.relatedTarget) leave();
  });
  addEventListener('drop', event => {
    if (!carries(event)) return;
    event.preventDefault();
    const add = event.target.closest?.('.zone')?.dataset.add === '1';
    const file = event.dataTransfer.files[0];
    leave();
    if (file) hand(file, add);
  });
}
