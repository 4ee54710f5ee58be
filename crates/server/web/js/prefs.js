// What somebody likes: language, colours, size of pictures. Kept by the browser; a browser that keeps nothing is fine.

import en from './en.js';
import zh from './zh-TW.js';

const LANGUAGES = { en, 'zh-TW': zh };
const liked = read();

function read() {
  try {
    return JSON.parse(localStorage.getItem('linjin') ?? '{}');
  } catch {
    return {};
  }
}

export function like(name, value) {
  liked[name] = value;
  try {
    localStorage.setItem('linjin', JSON.stringify(liked));
  } catch {
    // A private window: it is forgotten.
  }
  apply();
}

export const language = () =>
  liked.language in LANGUAGES ? liked.language : navigator.languages?.some(name => /^zh/i.test(name)) ? 'zh-TW' : 'en';
export const theme = () => (['light', 'dark'].includes(liked.theme) ? liked.theme : 'auto');
export const tile = () => (['small', 'large'].includes(liked.tile) ? liked.tile : 'medium');

export function apply() {
  document.documentElement.lang = language();
  if (theme() === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme();
}

// A text of the page, with {names} filled in.
export function t(name, values = {}) {
  const text = LANGUAGES[language()][name] ?? en[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '');
}

export const has = name => name in en;
export const number = value => new Intl.NumberFormat(language()).format(value);
export const score = value => (Math.floor(value * 100 + 1e-4) / 100).toFixed(2);

export function bytes(value) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return `${new Intl.NumberFormat(language(), { maximumFractionDigits: value < 10 && at ? 1 : 0 }).format(value)} ${units[at]}`;
}

export function date(value, time = true) {
  const facts = time ? { dateStyle: 'medium', timeStyle: 'short' } : { dateStyle: 'medium' };
  return new Intl.DateTimeFormat(language(), facts).format(value);
}

export function duration(seconds) {
  if (seconds < 90) return t('seconds', { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t('minutes', { n: Math.round(seconds / 60) });
  return t('hours', { n: Math.round(seconds / 360) / 10 });
}

// What to tell of an error.
export function told(error) {
  const known = `code_${error.code}`;
  if (error.code === 'offline') return t('offline');
  return has(known) ? t(known, { error: error.message }) : error.message;
}
