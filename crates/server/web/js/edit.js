// A term of the query, looked at closely: the part of the picture, the sign, the weight. Results follow at once.

import * as api from './api.js';
import { calm, h, icon } from './dom.js';
import { dialog } from './dialog.js';
import { t } from './prefs.js';
import * as store from './store.js';

const LEAST = 0.04;
const EDGES = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'];
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export function edit(at) {
  const part = () => store.state().terms[at];
  if (!part()) return;
  const set = patch => part() && store.setTerm(at, { ...part(), ...patch }, true);

  const sign = weight => h('div.segments', { role: 'group', 'aria-label': t('weight') },
    ...[[1, 'plus', 'more'], [-1, 'minus', 'less']].map(([value, name, text]) => h('button', {
      type: 'button', 'aria-pressed': String(Math.sign(weight) === value),
      onclick: event => {
        set({ weight: value * Math.abs(part().weight) });
        for (const button of event.currentTarget.parentNode.children) {
          button.setAttribute('aria-pressed', String(button === event.currentTarget));
        }
      },
    }, icon(name), t(text))));
  const shown = h('output', {}, `×${Math.abs(part().weight)}`);
  const slider = h('input', {
    type: 'range', min: 0.1, max: 3, step: 0.1, 'aria-label': t('weight'),
    oninput: () => {
      shown.textContent = `×${Number(slider.value)}`;
      later();
    },
  });
  slider.value = Math.abs(part().weight);
  const later = calm(150, () => set({ weight: Math.sign(part().weight) * Number(slider.value) }));

  const picture = part().words === undefined ? cropper(part(), crop => set({ crop })) : null;
  const node = dialog(t('edit_part'), 'edit',
    picture?.node ?? h('p.quote', {}, part().words),
    picture ? h('p.note', {}, t('part_help')) : null,
    h('div.row', {}, sign(part().weight), h('label.weight', {}, h('span', {}, t('weight')), slider, shown)),
    h('footer.row', {},
      h('button.plain', {
        type: 'button',
        onclick: () => {
          node.close();
          store.dropTerm(at);
        },
      }, t('remove')),
      picture ? h('button.plain', { type: 'button', onclick: () => picture.whole() }, icon('picture'), t('whole')) : null,
      h('span.space'),
      h('button.primary', { type: 'button', onclick: () => node.close() }, t('done'))));
  picture?.frame.focus();
}

// A picture with a frame on it.
function cropper(part, done) {
  let crop = part.crop ?? [0, 0, 1, 1];
  const image = h('img', { alt: '', src: part.id === undefined ? api.uploaded(part.upload) : api.preview(part.id), draggable: false });
  const frame = h('div.frame', { tabIndex: 0, role: 'group', 'aria-label': t('frame'), 'aria-description': t('part_help') },
    EDGES.map(edge => h(`span.handle.${edge}`, { 'data-edge': edge })));
  const stage = h('div.stage', {}, image, frame);
  const tell = calm(120, () => {
    const all = crop[0] < 0.005 && crop[1] < 0.005 && crop[2] > 0.995 && crop[3] > 0.995;
    done(all ? null : crop);
  });

  function draw() {
    const [left, top, right, bottom] = crop;
    Object.assign(frame.style, {
      left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%`,
    });
  }

  // Moves edges by shares of the picture; the frame keeps its size where all of them move.
  function shift(edges, dx, dy, from) {
    let [left, top, right, bottom] = from;
    if (edges === 'all') {
      dx = clamp(dx, -left, 1 - right);
      dy = clamp(dy, -top, 1 - bottom);
      [left, top, right, bottom] = [left + dx, top + dy, right + dx, bottom + dy];
    } else {
      if (edges.includes('w')) left = clamp(left + dx, 0, right - LEAST);
      if (edges.includes('e')) right = clamp(right + dx, left + LEAST, 1);
      if (edges.includes('n')) top = clamp(top + dy, 0, bottom - LEAST);
      if (edges.includes('s')) bottom = clamp(bottom + dy, top + LEAST, 1);
    }
    crop = [left, top, right, bottom];
    draw();
  }

  stage.addEventListener('pointerdown', event => {
    event.preventDefault();
    frame.focus();
    const box = image.getBoundingClientRect();
    const at = point => [clamp((point.clientX - box.left) / box.width, 0, 1), clamp((point.clientY - box.top) / box.height, 0, 1)];
    const [x, y] = at(event);
    const all = crop[2] - crop[0] > 0.99 && crop[3] - crop[1] > 0.99;
    const edge = event.target.dataset.edge;
    const inside = event.target.closest('.frame') && !all;
    const from = crop;
    stage.setPointerCapture(event.pointerId);
    const move = moved => {
      const [to, down] = at(moved);
      if (edge) shift(edge, to - x, down - y, from);
      else if (inside) shift('all', to - x, down - y, from);
      else if (Math.abs(to - x) > 0.01 || Math.abs(down - y) > 0.01) {
        // A new frame, from corner to corner.
        crop = [Math.min(x, to), Math.min(y, down), Math.max(x, to), Math.max(y, down)];
        crop[2] = clamp(Math.max(crop[2], crop[0] + LEAST), 0, 1);
        crop[3] = clamp(Math.max(crop[3], crop[1] + LEAST), 0, 1);
        draw();
      }
    };
    const end = () => {
      stage.removeEventListener('pointermove', move);
      tell();
    };
    stage.addEventListener('pointermove', move);
    stage.addEventListener('pointerup', end, { once: true });
    stage.addEventListener('pointercancel', end, { once: true });
  });
  frame.addEventListener('keydown', event => {
    const step = event.ctrlKey ? 0.005 : 0.03;
    const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    shift(event.shiftKey ? 'se' : 'all', ...way, crop);
    tell();
  });
  draw();
  return { node: stage, frame, whole: () => (crop = [0, 0, 1, 1], draw(), tell(), frame.focus()) };
}
