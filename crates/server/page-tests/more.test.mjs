// Servers of another kind: one that wants its token, an empty folder, 100,000 pictures, one that stops.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Room, browser } from './room.mjs';

let chrome;
before(async () => (chrome = await browser()));
after(async () => await chrome?.close());

test('the token is asked for once', async () => {
  const room = new Room();
  room.fill(6);
  await room.serve('--token', 'a-token-of-the-tests');
  const page = await chrome.newPage({ locale: 'en-GB' });
  await page.goto(room.base);
  await page.getByLabel('Token').fill('wrong');
  await page.getByRole('button', { name: 'Enter' }).click();
  await page.getByText('This is not the token.').waitFor();
  await page.getByLabel('Token').fill('a-token-of-the-tests');
  await page.getByRole('button', { name: 'Enter' }).click();
  await page.locator('.tile').first().waitFor({ timeout: 15000 });
  await page.reload();
  await page.locator('.tile').first().waitFor();
  await page.close();
  await room.end();
});

test('an empty folder says what to do, and a server that stops is missed', async () => {
  const room = new Room();
  await room.serve();
  const page = await chrome.newPage({ locale: 'en-GB' });
  await page.goto(room.base);
  await page.getByText('they appear here by themselves').waitFor({ timeout: 15000 });
  room.server.kill('SIGTERM');
  await page.getByText('Is it still running?').waitFor({ timeout: 15000 });
  await page.close();
  await room.end();
});

test('100,000 pictures: seen within a second, gone through to the end', async () => {
  const room = new Room();
  room.fill(8);
  await room.serve();
  await room.indexed(10);
  const context = await chrome.newContext({ viewport: { width: 1366, height: 768 } });
  const page = await context.newPage();
  // As many as that are made out of the few: what is tested is the page.
  const few = await room.json('/api/pictures');
  await page.route('**/api/pictures?*', async route => {
    const query = new URL(route.request().url()).searchParams;
    const count = Math.min(Number(query.get('limit')), 100000);
    const of = list => Array.from({ length: count }, (_, at) => list[at % list.length]);
    await route.fulfill({ json: { total: 100000, ids: of(few.ids), widths: of(few.widths), heights: of(few.heights) } });
  });
  await page.goto(room.base);
  await page.locator('.tile img.there').first().waitFor();
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  const picture = await page.evaluate(() => performance.now());
  await page.waitForFunction(() => document.querySelector('.tile')?.ariaSetSize === '100000');
  assert.ok(await page.locator('.tile').count() < 250, 'only what is near is in the page');
  await page.locator('.tile .pic').first().focus();
  await page.keyboard.press('End');
  await page.waitForFunction(() => document.activeElement.closest('.tile')?.dataset.at === '99999');
  const before = await page.evaluate(() => scrollY);
  // Scrolling from end to end costs no long frames.
  const slowest = await page.evaluate(async () => {
    let [worst, last] = [0, performance.now()];
    for (let step = 60; step >= 0; step--) {
      scrollTo(0, (document.documentElement.scrollHeight * step) / 60);
      await new Promise(requestAnimationFrame);
      worst = Math.max(worst, performance.now() - last);
      last = performance.now();
    }
    return worst;
  });
  console.log(`first paint ${Math.round(paint)} ms, first picture ${Math.round(picture)} ms, slowest frame ${Math.round(slowest)} ms, ${before} px`);
  assert.ok(paint < 1000, `${paint} ms`);
  assert.ok(slowest < 400, `${slowest} ms`);
  await context.close();
  await room.end();
});
