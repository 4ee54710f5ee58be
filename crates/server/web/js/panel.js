// All about one picture, beside the grid.

import * as api from './api.js';
import { h, icon, iconButton } from './dom.js';
import { edit } from './edit.js';
import { bytes, date, has, number, score, t, told } from './prefs.js';
import * as store from './store.js';
import { toast } from './toast.js';

const SHOWN = ['JPEG', 'PNG', 'WebP', 'GIF', 'BMP'];

// step(by): to the picture before or behind it; found(id): its score, if it was searched for; left(): it was closed.
export function panel({ step, found, left }) {
  const body = h('div.panel-body');
  const node = h('aside.panel', { 'aria-label': t('facts'), tabIndex: -1, hidden: true },
    h('header.panel-head', {},
      iconButton('left', t('previous'), () => step(-1)),
      iconButton('right', t('next'), () => step(1)),
      h('span.space'),
      iconButton('close', t('close'), close, { id: 'panel-close' })),
    body);
  let asking = null;

  function close() {
    store.change({ pic: null });
    left();
  }
  node.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const id = store.state().pic;
    const act = {
      Escape: close, ArrowLeft: () => step(-1), ArrowRight: () => step(1),
      s: () => store.alike(id), '+': () => store.addPicture(id, 1), '-': () => store.addPicture(id, -1), x: () => store.addPicture(id, -1),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });

  async function show(id, focus) {
    asking?.abort();
    document.body.classList.toggle('with-panel', id !== null);
    node.hidden = id === null;
    if (id === null) return;
    asking = new AbortController();
    if (focus) node.focus();
    try {
      const facts = await api.picture(id, asking.signal);
      body.replaceChildren(...about(facts, found(id)));
      body.scrollTop = 0;
    } catch (error) {
      if (error.name !== 'AbortError') body.replaceChildren(h('p.note.bad', { role: 'alert' }, told(error)));
    }
  }
  return { node, show };
}

function about(facts, alike) {
  const id = facts.id;
  const shown = SHOWN.includes(facts.format);
  const image = h('img.large', {
    alt: facts.files[0]?.path ?? '', src: shown ? api.original(id) : api.preview(id), width: facts.width, height: facts.height,
  });
  // Its thumbnail stands in until the file is there.
  image.style.backgroundImage = `url("${api.thumbnail(id)}")`;
  image.addEventListener('load', () => (image.style.backgroundImage = ''), { once: true });
  image.addEventListener('error', () => {
    if (!image.src.endsWith(api.thumbnail(id))) image.src = api.thumbnail(id);
  });
  const button = (name, text, onclick, kind = 'plain') => h(`button.${kind}`, { type: 'button', onclick }, icon(name), text);
  const row = (name, value) => (value ? [h('dt', {}, name), h('dd', {}, value)] : []);
  const folder = store.served.pictures.folder;
  const whole = path => (/^([/\\]|[A-Z]:)/.test(folder) ? `${folder}/${path}` : path);
  const file = held => h('div.path', {},
    h('span', {}, held.path),
    iconButton('copy', t('copy_path'), () => copyText(whole(held.path))));
  const taken = facts.taken ? date(new Date(facts.taken)) : null;
  return [
    h('div.shown', {}, image),
    h('div.acts', {},
      button('alike', t('more_like'), () => store.alike(id), 'primary'),
      button('crop', t('search_part'), () => {
        store.change({ terms: [{ kind: 'p', id, weight: 1, crop: null }], view: 'grid', strict: 0 });
        edit(0);
      }),
      button('plus', t('add'), () => store.addPicture(id, 1)),
      button('minus', t('subtract'), () => store.addPicture(id, -1)),
      h('a.plain.button', { href: api.original(id), target: '_blank', rel: 'noopener' }, icon('open'), t('open_original'))),
    h('dl.facts', {},
      row(facts.files.length > 1 ? t('files') : t('file'), facts.files.map(file)),
      row(t('score'), alike === undefined ? null : score(alike)),
      row(t('dimensions'), `${number(facts.width)} × ${number(facts.height)}`),
      row(t('format'), `${facts.format}, ${bytes(facts.files[0]?.bytes ?? 0)}`),
      row(t('taken'), taken),
      row(t('modified'), facts.files[0] ? date(new Date(facts.files[0].modified)) : null),
      row(t('camera'), facts.camera),
      facts.notes.map(note => row(has(`exif_${note.name}`) ? t(`exif_${note.name}`) : note.name, note.value))),
  ];
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t('copied'));
  } catch {
    toast(t('not_copied'), 'bad');
  }
}
