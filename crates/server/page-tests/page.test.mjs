// Every flow of the page, in a browser, with nothing asked of anybody but the server.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { Room, browser, drawing } from './room.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const room = new Room();
let chrome, context, page, foreign, errors;

before(async () => {
  room.fill();
  await room.serve();
  [chrome] = await Promise.all([browser(), room.indexed(62)]);
});
after(async () => {
  await chrome?.close();
  await room.end();
});

beforeEach(async () => await open({}));
afterEach(async () => {
  await context.close();
  assert.deepEqual(errors, [], 'the console stays quiet');
  assert.deepEqual(foreign, [], 'nobody but the server is asked');
});

async function open(facts) {
  await context?.close();
  context = await chrome.newContext({
    viewport: { width: 1200, height: 760 }, locale: 'en-GB', reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'], ...facts,
  });
  context.setDefaultTimeout(8000);
  page = await context.newPage();
  [foreign, errors] = [[], []];
  page.on('request', request => request.url().startsWith(room.base) || foreign.push(request.url()));
  page.on('pageerror', error => errors.push(error.message));
  page.on('console', message => {
    // A status that the test asked for is no error of the page.
    if (message.type() === 'error' && !/status of (4\d\d|503)|ERR_CONNECTION/.test(message.text())) errors.push(message.text());
  });
}

const go = path => page.goto(room.base + path);
const tiles = () => page.locator('.tile');
const focused = () => page.evaluate(() => document.activeElement.closest('.tile')?.dataset.at ?? document.activeElement.id);
const address = () => decodeURIComponent(new URL(page.url()).search);
const scores = () => page.locator('.tile .score').allTextContents();
const path = at => page.locator('.tile').nth(at).locator('.pic').getAttribute('aria-label');
const changed = async act => {
  const before = page.url();
  await act();
  await page.waitForFunction(url => location.href !== url, before);
};
const searched = () => page.locator('.score').first().waitFor();

async function axe(what) {
  // In a world of its own: the page's own rules allow no scripts from elsewhere.
  const found = await page.evaluate(`(() => { const module = undefined, exports = undefined; ${AXE}; return axe.run(document, { resultTypes: ['violations'] }); })()`);
  const serious = found.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(node => node.html)]), [], what);
}

test('all pictures are there, and the first are seen at once', async () => {
  await go('/');
  await tiles().first().waitFor();
  assert.equal(await page.locator('.count').textContent(), '61 pictures');
  await page.waitForFunction(() => [...document.querySelectorAll('.tile img')].every(image => image.naturalWidth));
  // Justified: rows end where the page does.
  const right = await page.evaluate(() => {
    const box = document.querySelector('.grid').getBoundingClientRect();
    const rows = {};
    for (const tile of document.querySelectorAll('.tile')) {
      const { top, right } = tile.getBoundingClientRect();
      rows[Math.round(top)] = Math.max(rows[Math.round(top)] ?? 0, right);
    }
    return Object.values(rows).slice(0, -1).map(end => Math.abs(end - box.right));
  });
  assert.ok(right.length > 1 && right.every(gap => gap < 2), String(right));
});

test('more like this, by pointer; back and forward', async () => {
  await go('/?name=picture-008');
  await tiles().first().hover();
  await tiles().first().getByRole('button', { name: 'More like this' }).click();
  await searched();
  assert.match(address(), /^\?t=p\d+$/);
  assert.match(await path(0), /^copies\/small\.png, score 0\.\d\d$/);
  const found = (await scores()).map(Number);
  assert.ok(found.length > 5 && found.every((score, at) => at === 0 || score <= found[at - 1]), String(found));
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll('.score').length === 0);
  assert.equal(address(), '?name=picture-008');
  await page.goForward();
  await page.locator('.chip').waitFor();
});

test('plus, minus and weights', async () => {
  const [four, nine] = [await room.id('picture-010'), await room.id('picture-013')];
  await go(`/?t=p${four}`);
  await searched();
  const top = tiles().nth(2);
  await top.hover();
  await changed(() => top.getByRole('button', { name: 'Add to the search' }).click());
  assert.equal(await page.locator('.chip').count(), 2);
  await searched();
  await tiles().nth(5).hover();
  await changed(() => tiles().nth(5).getByRole('button', { name: 'Less like this' }).click());
  assert.equal(await page.locator('.chip.minus').count(), 1);
  assert.match(address(), /t=-p\d+/);

  await page.locator('.chip-main').first().click();
  await page.getByLabel('Weight').last().fill('2.5');
  await page.waitForFunction(() => location.search.includes('2.5*p'));
  await changed(() => page.getByRole('button', { name: 'less of it', exact: true }).click());
  assert.match(address(), /t=-2\.5\*p/);
  await page.getByRole('button', { name: 'Done' }).click();
  await go(`/?t=p${four}&t=-3*p${nine}`);
  await searched();
  assert.equal(await page.locator('.chip-weight').textContent(), '×3');
});

test('a part of a picture: by pointer and by keys', async () => {
  const id = await room.id('picture-012');
  await go(`/?t=p${id}`);
  await searched();
  await page.locator('.chip-main').click();
  await page.waitForFunction(() => document.querySelector('.stage img').naturalWidth);
  const box = await page.locator('.stage').boundingBox();
  await page.mouse.move(box.x + box.width * 0.2, box.y + box.height * 0.2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.8, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(() => location.search.includes('%40') || location.search.includes('@'));
  const sides = address().split('@')[1].split(',').map(Number);
  for (const [at, side] of [0.2, 0.2, 0.7, 0.8].entries()) assert.ok(Math.abs(sides[at] - side) < 0.03, String(sides));
  // Its corner.
  const corner = await page.locator('.handle.se').boundingBox();
  await page.mouse.move(corner.x + 12, corner.y + 12);
  await page.mouse.down();
  await changed(async () => {
    await page.mouse.move(corner.x + 12 + box.width * 0.15, corner.y + 12, { steps: 3 });
    await page.mouse.up();
  });
  assert.ok(Number(address().split('@')[1].split(',')[2]) > 0.8);
  await changed(() => page.keyboard.press('ArrowLeft'));
  await changed(() => page.keyboard.press('Shift+ArrowUp'));
  await axe('the frame');
  await changed(() => page.getByRole('button', { name: 'Whole picture' }).click());
  assert.equal(address(), `?t=p${id}`);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('dialog').count(), 0);
});

test('a chosen, a pasted and a dropped picture', async () => {
  const bytes = drawing(20, 300, 200);
  await go('/');
  await page.locator('input[type=file]').setInputFiles({ name: 'mine.png', mimeType: 'image/png', buffer: bytes });
  await searched();
  assert.match(address(), /^\?t=u[0-9a-f]{32}$/);
  assert.match(await path(0), /picture-020/);
  // In the address: it is there after a reload too.
  await page.reload();
  await searched();
  assert.match(await path(0), /picture-020/);

  const give = (kind, target) => page.evaluate(([kind, target, data]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([Uint8Array.from(atob(data), letter => letter.charCodeAt(0))], 'x.png', { type: 'image/png' }));
    const node = target ? document.querySelector(target) : document.body;
    node.dispatchEvent(kind === 'paste'
      ? new ClipboardEvent('paste', { clipboardData: carried, bubbles: true, cancelable: true })
      : new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
  }, [kind, target, drawing(22, 300, 200).toString('base64')]);
  await go('/');
  await tiles().first().waitFor();
  await give('paste');
  await searched();
  assert.match(await path(0), /picture-022/);
  await give('dragenter');
  assert.equal(await page.locator('.zone').count(), 2, 'in the place of the search, or beside it');
  await give('drop', '.zone[data-add="1"]');
  await page.waitForFunction(() => document.querySelectorAll('.chip').length === 2);
  await go('/');
  await tiles().first().waitFor();
  await give('dragenter');
  await give('drop', '.zone');
  await searched();
  assert.equal(await page.locator('.chip').count(), 1);

  // What is none says so.
  await page.locator('input[type=file]').setInputFiles({ name: 'mine.png', mimeType: 'image/png', buffer: Buffer.from('<svg>') });
  await page.getByText('This is not a picture that can be read').waitFor();
});

test('words: names of files where the model knows no words', async () => {
  await go('/');
  await tiles().first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('summer/picture-01');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.count').textContent === '5 pictures');
  assert.equal(address(), '?name=summer/picture-01');
  await go('/?t=wa red door');
  await page.getByText('knows pictures only').waitFor();
  await axe('an error');
});

test('strictness hides what is less alike, and says where chance begins', async () => {
  await go(`/?t=p${await room.id('picture-008')}`);
  await searched();
  const all = Number((await page.locator('.count').textContent()).split(' ')[0]);
  assert.equal(all, 60);
  await page.getByLabel('At least this alike').fill('0.9');
  await page.waitForFunction(() => location.search.includes('s=0.9'));
  const left = (await scores()).map(Number);
  assert.ok(left.length >= 1 && left.length < all && left.every(score => score >= 0.9), String(left));
  assert.ok(await page.locator('.mark').isVisible());
  await page.getByLabel('At least this alike').fill('1');
  await page.getByText('Nothing is that alike').waitFor();
});

test('filters, their pills, and nothing that fits', async () => {
  await go('/');
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.waitForFunction(() => document.querySelector('#f-folder').options.length === 4);
  await page.getByLabel('Folder').selectOption('copies');
  await page.waitForFunction(() => document.querySelector('.count').textContent === '2 pictures');
  await page.getByLabel('Before').fill('1999-01-01');
  await page.getByText('No picture fits the filters').waitFor();
  assert.equal(await page.locator('.pill').count(), 2);
  await page.getByRole('button', { name: 'Remove < 1999-01-01' }).click();
  await tiles().first().waitFor();
  await page.getByRole('button', { name: 'Clear all filters' }).click();
  await page.waitForFunction(() => document.querySelector('.count').textContent === '61 pictures');
  await page.locator('#f-size').selectOption('min_side=640');
  await page.getByText('No picture fits the filters').waitFor();
  await axe('filters');
});

test('all about a picture: path, copy, steps', async () => {
  await go('/?folder=winter');
  await tiles().first().waitFor();
  await tiles().nth(1).locator('.pic').click();
  const side = page.getByRole('complementary', { name: 'About this picture' });
  await side.getByText(/winter\/picture-\d+\.png/).first().waitFor();
  await page.waitForFunction(() => document.querySelector('.large')?.naturalWidth > 0);
  const first = address();
  await side.getByRole('button', { name: 'Copy the path' }).first().click();
  await page.getByText('Copied').waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^\/.*winter\/picture-\d+\.png$/);
  await changed(() => side.getByRole('button', { name: 'Next picture' }).click());
  await changed(() => page.keyboard.press('ArrowLeft'));
  assert.equal(address(), first);
  await axe('all about a picture');
  await side.getByRole('button', { name: 'Search a part' }).click();
  await page.locator('dialog .frame').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !location.search.includes('pic='));
});

test('copies in groups', async () => {
  await go('/');
  await tiles().first().waitFor();
  await page.getByRole('button', { name: 'Copies' }).click();
  await page.locator('.group').first().waitFor();
  assert.equal(await page.locator('.group').count(), 2);
  assert.equal(await page.getByText('resized', { exact: true }).count(), 1);
  await page.getByRole('button', { name: 'Copy the list of the others' }).click();
  const list = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(list.split('\n').length, 2);
  await axe('copies');
  await page.getByLabel('Only the same bytes').check();
  await page.waitForFunction(() => document.querySelectorAll('.group').length === 1);
  assert.match(address(), /view=copies&exact=/);
  await page.locator('.copy .pic').first().click();
  await page.getByRole('complementary').waitFor();
});

test('the whole of a search by keys alone', async () => {
  await go('/');
  await tiles().first().waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), '0');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), '2');
  await page.keyboard.press('ArrowDown');
  assert.ok(Number(await focused()) > 4);
  await page.keyboard.press('End');
  assert.equal(await focused(), '60');
  assert.ok(await page.evaluate(() => {
    const { top, bottom } = document.activeElement.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  }));
  await page.keyboard.press('Home');
  await changed(() => page.keyboard.press('Enter'));
  await page.locator('.panel .acts').waitFor();
  await changed(() => page.keyboard.press('ArrowRight'));
  await changed(() => page.keyboard.press('Escape'));
  assert.equal(await focused(), '1');
  await changed(() => page.keyboard.press('s'));
  await searched();
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), '0');
  await changed(() => page.keyboard.press('+'));
  await searched();
  await page.keyboard.press('ArrowRight');
  await changed(() => page.keyboard.press('x'));
  assert.equal(await page.locator('.chip').count(), 3);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('e');
  await page.locator('dialog .frame').waitFor();
  await changed(() => page.keyboard.press('Shift+ArrowLeft'));
  await page.keyboard.press('Escape');
  await changed(() => page.keyboard.press('Backspace'));
  await page.keyboard.press('f');
  assert.equal(await focused(), 'f-folder');
  await page.keyboard.press('Escape');
  await page.keyboard.press('f');
  await changed(() => page.keyboard.press('d'));
  await page.locator('.group').first().waitFor();
  await changed(() => page.keyboard.press('Escape'));
  await changed(() => page.keyboard.press('Escape'));
  assert.equal(await page.locator('.chip').count(), 0);
  await page.keyboard.press('?');
  await page.getByRole('heading', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
});

test('pictures that come are noticed, and indexing is seen', async () => {
  await go('/');
  await tiles().first().waitFor();
  for (let i = 0; i < 12; i++) room.write(`new/later-${i}.png`, drawing(500 + i, 160, 110));
  await page.waitForFunction(() => document.querySelector('.count').textContent === '73 pictures', null, { timeout: 15000 });
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Refused files: 1' }).click();
  await page.getByText('broken.jpg').waitFor();
});

test('colours, language, and no serious finding anywhere', async () => {
  for (const [scheme, locale] of [['light', 'en-GB'], ['dark', 'zh-TW']]) {
    await open({ colorScheme: scheme, locale });
    await go(`/?t=p${await room.id('picture-008')}`);
    await searched();
    assert.equal(await page.evaluate(() => document.documentElement.lang), locale === 'zh-TW' ? 'zh-TW' : 'en');
    await axe(`a search, ${scheme}`);
    await page.keyboard.press('?');
    await axe(`keys, ${scheme}`);
    await page.keyboard.press('Escape');
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(Number(/\d+/.exec(ground)[0]) < 60, scheme === 'dark');
  }
  await page.getByRole('button', { name: '設定' }).click();
  await page.getByLabel('語言').selectOption('en');
  await page.getByRole('button', { name: 'Settings' }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('Colours').selectOption('light');
  // The page is read anew with it.
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'light');
});

test('on a phone nothing is wider than it', async () => {
  await open({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  for (const view of ['/', `/?t=p${await room.id('picture-008')}`, '/?view=copies', '/?name=none', `/?pic=${await room.id('picture-008')}`]) {
    await go(view);
    await page.waitForTimeout(250);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), view);
  }
});

test('every text is there in both languages', async () => {
  await go('/');
  const [en, zh] = await page.evaluate(() => Promise.all(['en', 'zh-TW'].map(name => import(`/web/js/${name}.js`).then(texts => texts.default))));
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  const holes = text => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const name of Object.keys(en)) assert.deepEqual(holes(zh[name]), holes(en[name]), name);
});
