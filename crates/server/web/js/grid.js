// The grid of pictures: only the tiles near what is seen are in the page, however many pictures there are.

import * as api from './api.js';
import { h, iconButton } from './dom.js';
import { justify, rowAt, rowOf } from './layout.js';
import { number, score, t, tile } from './prefs.js';
import * as store from './store.js';

const HEIGHTS = { small: 120, medium: 190, large: 300 };

export class Grid {
  // open(index): somebody wants to know all about a picture.
  constructor({ open }) {
    this.open = open;
    this.items = { ids: [], ratios: [] };
    this.layout = { rows: [], lefts: [], widths: [], height: 0 };
    this.tiles = new Map();
    this.active = 0;
    this.node = h('div.grid', { role: 'list', 'aria-label': t('results') });
    this.node.addEventListener('keydown', event => this.key(event));
    this.node.addEventListener('focusin', event => {
      const at = Number(event.target.closest('.tile')?.dataset.at);
      if (at >= 0) this.activate(at);
    });
    this.draw = this.draw.bind(this);
    addEventListener('scroll', this.draw, { passive: true });
    new ResizeObserver(() => this.measure()).observe(this.node);
  }

  // items: { ids, ratios, scores?, paths? }, all of one length.
  show(items, keepPlace = false) {
    this.items = items;
    if (!keepPlace) this.active = 0;
    this.active = Math.min(this.active, Math.max(items.ids.length - 1, 0));
    for (const node of this.tiles.values()) node.remove();
    this.tiles.clear();
    this.width = 0;
    this.measure();
  }

  measure() {
    const width = this.node.clientWidth;
    if (!width || width === this.width) return;
    const anchor = this.width && scrollY > this.node.offsetTop ? this.firstSeen() : -1;
    this.width = width;
    const wanted = Math.min(HEIGHTS[tile()], width / (tile() === 'large' ? 1.4 : 2.2));
    this.layout = justify(this.items.ratios, width, wanted, width < 600 ? 3 : 6);
    this.node.style.height = `${this.layout.height}px`;
    for (const [at, node] of this.tiles) this.place(node, at);
    // What was seen stays where it was when the page becomes wider.
    if (anchor >= 0) scrollTo(0, this.layout.rows[rowOf(this.layout.rows, anchor)].top + this.node.offsetTop - this.head());
    this.draw();
  }

  head() {
    return document.querySelector('.head')?.offsetHeight ?? 0;
  }

  firstSeen() {
    const { rows } = this.layout;
    if (!rows.length) return -1;
    return rows[rowAt(rows, scrollY - this.node.offsetTop + this.head())].first;
  }

  draw() {
    const { rows } = this.layout;
    if (!this.node.isConnected || !rows.length) return;
    const from = scrollY - this.node.offsetTop - innerHeight * 0.75;
    const to = scrollY - this.node.offsetTop + innerHeight * 1.75;
    const first = rows[rowAt(rows, from)].first;
    const end = rows[rowAt(rows, to)].end;
    const focused = this.node.contains(document.activeElement) ? this.active : -1;
    for (const [at, node] of this.tiles) {
      if ((at < first || at >= end) && at !== focused) {
        node.remove();
        this.tiles.delete(at);
      }
    }
    const fresh = [];
    for (let at = first; at < end; at++) {
      if (this.tiles.has(at)) continue;
      const node = this.tile(at);
      this.tiles.set(at, node);
      fresh.push(node);
    }
    if (!fresh.length) return;
    // In the order of the pictures, as they are read out and gone through.
    this.node.append(...fresh);
    const ordered = [...this.tiles.keys()].sort((a, b) => a - b);
    if (Number(this.node.lastChild.dataset.at) !== ordered.at(-1) || fresh.length < ordered.length) {
      for (const at of ordered) if (at !== focused) this.move(at, focused);
    }
  }

  // Puts a tile behind the ones before it, without moving the one that has the focus.
  move(at, focused) {
    const node = this.tiles.get(at);
    const held = focused >= 0 ? this.tiles.get(focused) : null;
    if (held && at < focused) this.node.insertBefore(node, held);
    else this.node.append(node);
  }

  place(node, at) {
    const { rows, lefts, widths } = this.layout;
    const row = rows[rowOf(rows, at)];
    Object.assign(node.style, {
      transform: `translate(${lefts[at]}px, ${row.top}px)`,
      width: `${widths[at]}px`,
      height: `${row.height}px`,
    });
  }

  tile(at) {
    const { ids, scores, paths } = this.items;
    const id = ids[at];
    const label = scores
      ? t('alike_n', { path: paths[at], score: score(scores[at]) })
      : t('picture_n', { n: number(at + 1) });
    const image = h('img', { alt: '', src: api.thumbnail(id), decoding: 'async', draggable: false });
    image.addEventListener('load', () => image.classList.add('there'), { once: true });
    if (image.complete && image.naturalWidth) image.classList.add('there');
    const on = at === this.active;
    const tool = (name, text, call) =>
      iconButton(name, text, event => {
        event.stopPropagation();
        call();
      }, { tabIndex: on ? 0 : -1 });
    const node = h('div.tile', {
      role: 'listitem',
      'aria-setsize': ids.length,
      'aria-posinset': at + 1,
      'data-at': at,
      'data-id': id,
    },
    h('button.pic', { type: 'button', 'aria-label': label, tabIndex: on ? 0 : -1, onclick: () => this.open(at) }, image),
    scores ? h('span.score', { 'aria-hidden': 'true' }, score(scores[at])) : null,
    h('div.tools', {},
      tool('alike', t('more_like'), () => store.alike(id)),
      tool('plus', t('add'), () => store.addPicture(id, 1)),
      tool('minus', t('subtract'), () => store.addPicture(id, -1))));
    this.place(node, at);
    return node;
  }

  // The one tile that Tab leads to.
  activate(at) {
    if (at === this.active) return;
    for (const [index, on] of [[this.active, false], [at, true]]) {
      for (const button of this.tiles.get(index)?.querySelectorAll('button') ?? []) button.tabIndex = on ? 0 : -1;
    }
    this.active = at;
  }

  focus(at = this.active) {
    const { rows } = this.layout;
    if (!rows.length) return;
    at = Math.min(Math.max(at, 0), this.items.ids.length - 1);
    const row = rows[rowOf(rows, at)];
    const top = row.top + this.node.offsetTop;
    const head = this.head() + 8;
    if (top < scrollY + head) scrollTo(0, top - head);
    else if (top + row.height > scrollY + innerHeight - 8) scrollTo(0, top + row.height - innerHeight + 8);
    this.draw();
    this.activate(at);
    this.tiles.get(at)?.querySelector('.pic').focus({ preventScroll: true });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { rows, lefts, widths } = this.layout;
    const at = this.active;
    const id = this.items.ids[at];
    const page = Math.max(1, Math.floor((innerHeight - this.head()) / (rows[0]?.height || 1)) - 1);
    const vertical = steps => {
      const row = rowOf(rows, at);
      const to = rows[Math.min(Math.max(row + steps, 0), rows.length - 1)];
      const middle = lefts[at] + widths[at] / 2;
      let best = to.first;
      for (let i = to.first; i < to.end; i++) if (lefts[i] <= middle) best = i;
      return this.focus(best);
    };
    const acts = {
      ArrowLeft: () => this.focus(at - 1),
      ArrowRight: () => this.focus(at + 1),
      ArrowUp: () => vertical(-1),
      ArrowDown: () => vertical(1),
      PageUp: () => vertical(-page),
      PageDown: () => vertical(page),
      Home: () => this.focus(0),
      End: () => this.focus(this.items.ids.length - 1),
      s: () => store.alike(id),
      '+': () => store.addPicture(id, 1),
      '=': () => store.addPicture(id, 1),
      '-': () => store.addPicture(id, -1),
      x: () => store.addPicture(id, -1),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || !rows.length) return;
    event.preventDefault();
    act();
  }
}
