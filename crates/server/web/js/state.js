// What the page shows, in its address: it can be kept, sent and gone back to.
//
// t=p12        a picture of the collection      t=-2*p12@0.1,0.2,0.5,0.6   with sign, weight and crop
// t=uHASH      a picture that was handed in     t=wa red door              words
// s=0.4 strictness · folder, name, after, before, min_side, max_side, min_bytes, max_bytes · pic=12 · view=copies, exact, keep

const TEXTS = ['folder', 'name', 'after', 'before'];
const NUMBERS = ['min_side', 'max_side', 'min_bytes', 'max_bytes'];
export const FILTERS = [...TEXTS, ...NUMBERS];

export function empty() {
  return { terms: [], filter: {}, strict: 0, pic: null, view: 'grid', exact: false, keep: 'largest' };
}

export function read(search) {
  const query = new URLSearchParams(search);
  const state = empty();
  state.terms = query.getAll('t').map(term).filter(Boolean).slice(0, 32);
  for (const name of TEXTS) if (query.get(name)) state.filter[name] = query.get(name);
  for (const name of NUMBERS) if (/^\d{1,15}$/.test(query.get(name) ?? '')) state.filter[name] = Number(query.get(name));
  const strict = Number(query.get('s'));
  if (strict > 0 && strict <= 1) state.strict = strict;
  if (/^\d{1,15}$/.test(query.get('pic') ?? '')) state.pic = Number(query.get('pic'));
  if (query.get('view') === 'copies') state.view = 'copies';
  state.exact = query.has('exact');
  if (['oldest', 'newest'].includes(query.get('keep'))) state.keep = query.get('keep');
  return state;
}

export function write(state) {
  const query = new URLSearchParams();
  for (const part of state.terms) query.append('t', text(part));
  for (const name of FILTERS) if (state.filter[name]) query.set(name, state.filter[name]);
  if (state.strict) query.set('s', state.strict);
  if (state.view === 'copies') query.set('view', 'copies');
  if (state.exact) query.set('exact', '');
  if (state.keep !== 'largest') query.set('keep', state.keep);
  if (state.pic !== null) query.set('pic', state.pic);
  return query.size ? `?${query}` : '/';
}

function term(text) {
  const found = /^(-)?(?:(\d+(?:\.\d+)?)\*)?([puw])([^]*)$/.exec(text);
  if (!found) return null;
  const [, minus, weight, kind, rest] = found;
  const size = Math.min(Math.max(Number(weight ?? 1), 0.1), 5);
  const part = { weight: minus ? -size : size, kind, crop: null };
  if (kind === 'w') return rest.trim() ? { ...part, words: rest.trim() } : null;
  const [name, crop] = rest.split('@');
  if (crop) {
    const sides = crop.split(',').map(Number);
    const fits = sides.length === 4 && sides.every(side => side >= 0 && side <= 1) && sides[0] < sides[2] && sides[1] < sides[3];
    if (fits) part.crop = sides;
  }
  if (kind === 'p' && /^\d{1,15}$/.test(name)) return { ...part, id: Number(name) };
  if (kind === 'u' && /^[0-9a-f]{32}$/.test(name)) return { ...part, upload: name };
  return null;
}

function text(part) {
  const size = Math.abs(part.weight);
  const head = (part.weight < 0 ? '-' : '') + (size === 1 ? '' : `${round(size)}*`) + part.kind;
  if (part.kind === 'w') return head + part.words;
  return head + (part.id ?? part.upload) + (part.crop ? `@${part.crop.map(round).join(',')}` : '');
}

const round = number => Math.round(number * 1000) / 1000;

// As the server takes it.
export function asked(part) {
  const { weight, id, upload, words, crop } = part;
  const [left, top, right, bottom] = crop ?? [];
  return { weight, picture: id, upload, words, crop: crop ? { left, top, right, bottom } : undefined };
}
