// Settings, and the list of keys.

import { h, icon } from './dom.js';
import { dialog } from './dialog.js';
import { language, like, number, t, theme, tile } from './prefs.js';
import { list } from './progress.js';
import * as store from './store.js';

// changed(): texts and sizes are others now.
export function settings(changed) {
  const choice = (name, value, options) => {
    const select = h('select', {
      id: `set-${name}`,
      onchange: () => {
        like(name, select.value);
        node.close();
        changed();
      },
    }, options.map(([option, text]) => h('option', { value: option }, text)));
    select.value = value;
    return select;
  };
  const field = (text, input) => h('label.field', {}, h('span', {}, t(text)), input);
  const { pictures, version } = store.served;
  const model = pictures?.model;
  const node = dialog(t('settings'), 'settings',
    field('language', choice('language', language(), [['en', 'English'], ['zh-TW', '正體中文']])),
    field('theme', choice('theme', theme(), ['auto', 'light', 'dark'].map(name => [name, t(`theme_${name}`)]))),
    field('tile', choice('tile', tile(), ['small', 'medium', 'large'].map(name => [name, t(`tile_${name}`)]))),
    pictures?.refused ? h('button.link', { type: 'button', onclick: list }, icon('warn'), t('refused', { n: number(pictures.refused) })) : null,
    pictures ? h('p.note', {}, icon('folder'), pictures.folder) : null,
    h('p.note', {}, t('about', {
      version, model: model?.startsWith('descriptor') || !model ? t('model_descriptor') : model.split('@')[0],
    })));
}

export function keys() {
  const row = (keys, text) => [h('dt', {}, keys.map(key => h('kbd', {}, key))), h('dd', {}, t(text))];
  dialog(t('keys_title'), 'keys', h('dl', {},
    row(['/'], 'key_slash'), row(['←', '→', '↑', '↓'], 'key_arrows'), row(['Enter'], 'key_enter'), row(['S'], 'key_s'),
    row(['+'], 'key_plus'), row(['-', 'X'], 'key_minus'), row(['E'], 'key_e'), row(['Backspace'], 'key_back'),
    row(['Ctrl', 'V'], 'key_paste'), row(['F'], 'key_f'), row(['D'], 'key_d'), row(['Esc'], 'key_escape'), row(['?'], 'key_help')));
}
