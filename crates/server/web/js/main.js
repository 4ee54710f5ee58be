// The page: asks the server what there is, and puts the parts together.

import { keys, settings } from './about.js';
import * as api from './api.js';
import { bar, catching } from './bar.js';
import { copies } from './copies.js';
import { h, icon, iconButton } from './dom.js';
import { edit } from './edit.js';
import { FILTERS, asked } from './state.js';
import { filters, pill } from './filters.js';
import { Grid } from './grid.js';
import { panel } from './panel.js';
import { apply, number, score, t, told } from './prefs.js';
import { progress } from './progress.js';
import * as store from './store.js';
import { toast } from './toast.js';

// The first pictures are asked for alone, so that they are seen at once; then all others.
const FIRST = 300;
const ALL = 1_000_000;
// Pictures of a search.
const MOST = 1000;
const NARROWEST = 0.4;
const WIDEST = 3;

apply();
catching();
start();

async function start() {
  const page = document.getElementById('page');
  try {
    await hashToken();
    Object.assign(store.served, await api.state());
  } catch (error) {
    page.replaceChildren(error.code === 'token' ? gate() : trouble(error, () => location.reload()));
    return;
  }
  if (store.served.pictures) show(page);
  else page.replaceChildren(h('main.alone', {}, noPictures()));
}

// A link may bring the token behind #, which browsers do not send.
async function hashToken() {
  const found = /^#token=(.+)$/.exec(location.hash);
  if (!found) return;
  history.replaceState(null, '', location.pathname + location.search);
  await api.enter(decodeURIComponent(found[1])).catch(() => {});
}

function gate() {
  const token = h('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true });
  const why = h('p.note.bad', { role: 'alert' });
  const form = h('form.card', {
    onsubmit: async event => {
      event.preventDefault();
      try {
        await api.enter(token.value);
        await start();
      } catch (error) {
        why.textContent = told(error);
      }
    },
  },
  logo(), h('h1', {}, t('token_title')), h('p.note', {}, t('token_help')),
  h('label.field', {}, h('span', {}, t('token')), token), why,
  h('button.primary', {}, t('enter')));
  return h('main.alone', {}, form);
}

function noPictures() {
  const { index } = store.served;
  return h('div.card', {}, logo(), h('h1', {}, t('no_pictures_title')), h('p.note', {}, t('no_pictures_help')),
    h('code', {}, 'linjin serve --images ~/Pictures'),
    index ? h('p.note', {}, t('index_served', { n: number(index.vectors), dim: index.dim, metric: index.metric })) : null);
}

function trouble(error, again) {
  return h('div.empty', { role: 'alert' }, icon('warn'), h('h2', {}, t('trouble')), h('p', {}, told(error)),
    h('button.plain', { type: 'button', onclick: again }, t('try_again')));
}

function logo() {
  return h('img.logo', { src: '/web/icon.svg', alt: '', width: 28, height: 28 });
}

let parts = null;

function show(page) {
  const search = bar();
  const strip = filters();
  const news = progress();
  const grid = new Grid({ open: openAt });
  const side = panel({ step, found: scoreOf, left: () => grid.focus() });
  const groups = copies();
  const count = h('span.count', { 'aria-live': 'polite' });
  const pills = h('div.pills');
  const strict = strictness();
  const under = h('div.under', {}, count, pills, h('span.space'), strict.node);
  const note = h('div.note-place');
  const results = h('main.results', { id: 'results', tabIndex: -1 }, note, grid.node, groups.node);
  const filterButton = iconButton('filter', t('filters'), () => {
    filterButton.setAttribute('aria-expanded', String(strip.toggle()));
  }, { 'aria-expanded': 'false' });
  const copiesButton = iconButton('copies', t('duplicates'), toggleCopies);

  // What is shown now, of which the slider hides the end.
  let found = { ids: [], ratios: [], scores: null, paths: null, total: 0 };
  let asking = null;
  let wanted = '';

  page.replaceChildren(
    h('a.skip', { href: '#results', onclick: event => (event.preventDefault(), grid.focus()) }, t('skip')),
    h('header.head', {},
      h('div.top', {},
        h('a.home', {
          href: '/', title: t('home'), 'aria-label': t('home'),
          onclick: event => {
            if (event.ctrlKey || event.metaKey) return;
            event.preventDefault();
            store.home();
          },
        }, logo(), h('span', {}, 'linjin')),
        search.node,
        h('nav.buttons', { 'aria-label': t('settings') },
          filterButton, copiesButton,
          iconButton('settings', t('settings'), () => settings(() => location.reload())),
          iconButton('help', t('help'), keys))),
      strip.node,
      under,
      news.node),
    results, side.node);
  document.title = 'linjin 鄰近';

  function openAt(at) {
    grid.activate(at);
    store.change({ pic: grid.items.ids[at] }, store.state().pic !== null);
    side.node.focus();
  }
  function step(by) {
    const at = grid.items.ids.indexOf(store.state().pic) + by;
    if (at < 0 || at >= grid.items.ids.length) return;
    grid.activate(at);
    grid.focus(at);
    side.node.focus();
    store.change({ pic: grid.items.ids[at] }, true);
  }
  function scoreOf(id) {
    const at = grid.items.ids.indexOf(id);
    return at < 0 ? undefined : grid.items.scores?.[at];
  }
  function toggleCopies() {
    store.change({ view: store.state().view === 'copies' ? 'grid' : 'copies', pic: null });
  }

  function strictness() {
    const slider = h('input', { type: 'range', id: 'strict', min: 0, max: 1, step: 0.01 });
    const shown = h('output', { htmlFor: 'strict' });
    const mark = h('span.mark');
    const node = h('label.strict', { hidden: true }, h('span', {}, t('strictness')),
      h('span.track', {}, slider, mark), shown);
    const draw = () => {
      const at = store.state().strict;
      slider.value = at;
      shown.textContent = at ? score(at) : t('strict_any');
      slider.setAttribute('aria-valuetext', shown.textContent);
      const random = store.served.pictures.random_pair;
      mark.hidden = !(random < 1);
      mark.style.left = `calc(8px + ${random} * (100% - 16px))`;
      node.title = random < 1 ? t('random_mark', { score: score(random) }) : '';
    };
    slider.addEventListener('input', () => store.change({ strict: Number(slider.value) }, true));
    return { node, draw };
  }

  const ratio = (width, height) => Math.min(Math.max(width / height, NARROWEST), WIDEST);

  // Asks for what the address says. `fresh`: the collection changed, and the place in it stays.
  async function load(fresh = false) {
    const { terms, filter, view } = store.state();
    grid.node.hidden = view === 'copies';
    copiesButton.setAttribute('aria-pressed', String(view === 'copies'));
    await groups.show(store.served.pictures.indexing.revision);
    if (view === 'copies') {
      note.replaceChildren();
      wanted = '';
      found = { ids: [], ratios: [], scores: null, paths: null, total: 0 };
      draw(false);
      return;
    }
    const now = JSON.stringify([terms, filter]);
    if (now === wanted && !fresh) return;
    const keep = fresh && now === wanted;
    wanted = now;
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    document.body.classList.add('asking');
    try {
      if (terms.length) {
        const { hits } = await api.search({ terms: terms.map(asked), k: MOST, filter }, signal);
        found = {
          ids: hits.map(hit => hit.id),
          ratios: hits.map(hit => ratio(hit.width, hit.height)),
          scores: hits.map(hit => hit.score),
          paths: hits.map(hit => hit.path),
          total: hits.length,
        };
        draw(keep);
      } else {
        await browse(filter, signal, keep);
      }
      if (!keep && scrollY > 0) scrollTo(0, 0);
    } catch (error) {
      if (error.name === 'AbortError') return;
      wanted = '';
      found = { ids: [], ratios: [], scores: null, paths: null, total: 0 };
      draw(false);
      if (error.code === 'token') return void page.replaceChildren(gate());
      note.replaceChildren(trouble(error, () => load(true)));
    } finally {
      if (asking.signal === signal) document.body.classList.remove('asking');
    }
  }

  async function browse(filter, signal, keep) {
    const listed = keep ? await api.list(filter, 0, ALL, signal) : await api.list(filter, 0, FIRST, signal);
    const take = ({ ids, widths, heights, total }) => ({
      ids, ratios: widths.map((width, i) => ratio(width, heights[i])), scores: null, paths: null, total,
    });
    found = take(listed);
    draw(keep);
    if (found.ids.length < found.total) {
      found = take(await api.list(filter, 0, ALL, signal));
      draw(true);
    }
  }

  // Shows what was found, as far as it is alike enough.
  function draw(keep) {
    const { terms, filter, strict: least, view } = store.state();
    let items = found;
    if (found.scores && least) {
      const end = found.scores.findIndex(score => score < least);
      const cut = list => (end < 0 ? list : list.slice(0, end));
      items = { ids: cut(found.ids), ratios: cut(found.ratios), scores: cut(found.scores), paths: cut(found.paths), total: found.total };
    }
    grid.show(items, keep);
    const n = items.ids.length;
    under.hidden = view === 'copies' && !Object.keys(filter).length;
    count.textContent = view === 'copies' ? '' : terms.length ? t('count_alike', { n: number(n) })
      : found.total === 1 ? t('count_picture') : t('count_pictures', { n: number(found.total) });
    strict.node.hidden = !terms.length || view === 'copies';
    strict.draw();
    pills.replaceChildren(...FILTERS.filter(name => filter[name]).map(name => h('button.pill', {
      type: 'button', 'aria-label': t('remove_x', { what: pill(name, filter) }), onclick: () => store.setFilter({ [name]: null }),
    }, pill(name, filter), icon('close'))));
    filterButton.classList.toggle('on', pills.childElementCount > 0);
    note.replaceChildren();
    if (n || view === 'copies') return;
    const empty = (name, title, text, ...more) => note.replaceChildren(h('div.empty', {}, icon(name), h('h2', {}, title), h('p', {}, text), ...more));
    const clear = h('button.plain', { type: 'button', onclick: () => store.change({ filter: {}, strict: 0 }) }, t('clear_filters'));
    const { pictures } = store.served;
    if (terms.length || Object.keys(filter).length) {
      empty('search', t('nothing_title'), found.ids.length ? t('nothing_strict') : t('nothing_filters'), found.ids.length ? null : clear);
    } else if (pictures.indexing.running) {
      empty('picture', t('empty_title'), t('empty_indexing'));
    } else empty('folder', t('empty_title'), t('empty_help', { folder: pictures.folder }));
  }

  parts = {
    changed(now, before) {
      if (now.pic !== before.pic) side.show(now.pic, false);
      if (now.strict !== before.strict && store.same(now.terms, before.terms)) draw(true);
      load();
    },
    key(event) {
      const acts = {
        '/': () => search.input.focus(),
        '?': keys,
        f: () => filterButton.click(),
        d: toggleCopies,
        e: () => edit(store.state().terms.length - 1),
        Backspace: () => store.dropTerm(store.state().terms.length - 1),
        Escape: () => {
          if (store.state().pic !== null) store.change({ pic: null });
          else if (!strip.node.hidden) filterButton.click();
          else if (store.state().view === 'copies') toggleCopies();
          else if (store.state().terms.length) store.change({ terms: [], strict: 0 });
        },
        ArrowDown: () => grid.focus(),
        ArrowRight: () => grid.focus(),
      };
      return acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    },
  };
  follow(news, strip, () => load(true));
  news.show(store.served.pictures.indexing, store.served.pictures.refused);
  side.show(store.state().pic, false);
  load();
}

store.listen((now, before) => parts?.changed(now, before));

// Follows indexing: pictures that come are shown as they come, and not more often than one can look.
function follow(news, strip, changed) {
  let timer = null;
  let away = false;
  api.events(async now => {
    if (away) {
      away = false;
      toast(t('reconnected'));
    }
    const { pictures } = store.served;
    const moved = now.revision !== pictures.indexing.revision || now.running !== pictures.indexing.running;
    pictures.indexing = now;
    news.show(now, pictures.refused);
    if (!moved || timer) return;
    timer = setTimeout(async () => {
      timer = null;
      try {
        const before = pictures.indexing;
        Object.assign(store.served.pictures, (await api.state()).pictures, { indexing: before });
        news.show(pictures.indexing, store.served.pictures.refused);
        strip.fill();
        changed();
      } catch {
        // The next piece of news tries again.
      }
    }, now.running ? 2500 : 300);
  }, () => {
    if (!away) toast(t('offline'), 'bad');
    away = true;
  });
}

addEventListener('keydown', event => {
  const target = event.target;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const typing = target.matches?.('input:not([type=range]):not([type=checkbox]), select, textarea');
  if (typing && event.key === 'Escape') target.blur();
  if (typing || target.matches?.('input[type=range]')) return;
  // A button that has the focus takes these itself.
  if (['ArrowDown', 'ArrowRight'].includes(event.key) && target !== document.body) return;
  const act = parts?.key(event);
  if (!act) return;
  event.preventDefault();
  act();
});
