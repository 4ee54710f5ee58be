// What the page shows now, and who wants to know of changes.

import * as states from './state.js';

const listeners = [];
let current = states.read(location.search);
// What the server serves; set before anything is shown.
export const served = { pictures: null, index: null, version: '' };

export const state = () => current;
export const listen = call => listeners.push(call);

// Changes what is shown. With `replace` the step cannot be gone back to: for sliders and the like.
export function change(patch, replace = false) {
  const before = current;
  current = { ...current, ...patch };
  const address = states.write(current);
  if (address !== (location.search || '/')) history[replace ? 'replaceState' : 'pushState'](null, '', address);
  for (const call of listeners) call(current, before);
}

addEventListener('popstate', () => {
  const before = current;
  current = states.read(location.search);
  for (const call of listeners) call(current, before);
});

export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// The query.
export const alike = id => {
  // A name was what it was found by, not what others like it are called.
  const { name, ...filter } = current.filter;
  change({ terms: [{ kind: 'p', id, weight: 1, crop: null }], filter, view: 'grid', pic: null, strict: 0 });
};
export const addTerm = part => change({ terms: [...current.terms, part].slice(-32), view: 'grid' });
export const addPicture = (id, weight) => {
  const others = current.terms.filter(part => part.id !== id || part.crop);
  change({ terms: [...others, { kind: 'p', id, weight, crop: null }].slice(-32), view: 'grid' });
};
export const setTerm = (at, part, replace) =>
  change({ terms: current.terms.map((other, i) => (i === at ? part : other)) }, replace);
export const dropTerm = at => change({ terms: current.terms.filter((_, i) => i !== at) });
export const setFilter = patch => {
  const filter = { ...current.filter, ...patch };
  for (const name of Object.keys(filter)) if (!filter[name]) delete filter[name];
  change({ filter });
};
export const home = () => change(states.empty());
