/** The benchmark's report in headless Chromium: a file, no network, both themes, wide and narrow. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'puppeteer-core';
import t, { type Test } from 'tap';
import { page as makePage } from '../../bench/suite/report/page.js';
import { sampleResults } from '../../bench/suite/report/sample-results.js';
import { openBrowser, SKIP } from './chromium.js';

const WIRES = ['udp', 'json-ws', 'json-http', 'json-dgram', 'a wire with a long name', 'floor'];
const folder = mkdtempSync(join(tmpdir(), 'report-'));
const address = pathToFileURL(join(folder, 'report.html')).href;

const browser = await openBrowser(t);
t.before(async () => {
  if (SKIP === false)
    writeFileSync(join(folder, 'report.html'), await makePage(sampleResults(WIRES)));
});
t.teardown(() => rmSync(folder, { recursive: true }));

interface Opened {
  page: Page;
  /** Of the console, of scripts, and of requests beside the page itself. */
  complaints: string[];
}

async function open(t: Test, width: number, theme: 'light' | 'dark'): Promise<Opened> {
  const page = await browser.newPage();
  t.teardown(() => page.close());
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(`${error}`));
  page.on('request', (request) => {
    if (request.url() !== address && request.url() !== 'data:,') complaints.push(request.url());
  });
  await page.setOfflineMode(true);
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
  await page.goto(address);
  await page.evaluate(`for (const it of document.querySelectorAll('details')) it.open = true`);
  return { page, complaints };
}

/** Texts of one picture that lie upon each other, or reach out of it; of pictures that are shown. */
const CROWDED = `[...document.querySelectorAll('.picture svg')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  if (frame.width === 0) return [];
  const texts = [...svg.querySelectorAll('text')].map((it) => [it.textContent, it.getBoundingClientRect()]);
  const outside = texts.filter(([, at]) => at.left < frame.left - 2 || at.right > frame.right + 2);
  const overlapping = texts.filter(([, a], index) => texts.slice(index + 1).some(([, b]) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom - 1 && b.top < a.bottom - 1));
  return [...outside, ...overlapping].map(([text]) => svg.querySelector('title').textContent + ' | ' + text);
})`;

/** Elements that reach beyond the window, but for those in boxes that scroll by themselves. */
const OVERFLOWING = `[...document.querySelectorAll('body *')].filter((it) => {
  if (it.closest('.scroll, nav, .skip, svg, thead')) return false;
  const { left, right, width } = it.getBoundingClientRect();
  return width > 1 && (right > innerWidth + 0.5 || left < -0.5);
}).map((it) => it.outerHTML.slice(0, 120))`;

const EMPTY_CHARTS = `[...document.querySelectorAll('[data-chart]')].filter((chart) => {
  const { width, height } = chart.getBoundingClientRect();
  const shown = [...chart.querySelectorAll('.picture svg')].filter((it) => it.getBoundingClientRect().width > 0);
  const isPicture = chart.querySelector('.picture') !== null;
  const isDrawn = isPicture ? shown.length === 1 && shown[0].querySelector('path, line') !== null
    : chart.querySelectorAll('.track > span, .score > span').length > 0;
  return width < 200 || height < 60 || !isDrawn;
}).map(({ id }) => id)`;

for (const width of [1280, 400]) {
  t.test(`the report at ${width} pixels is whole, legible and alone`, { skip: SKIP }, async (t) => {
    const { page, complaints } = await open(t, width, 'light');
    t.ok(Number(await page.evaluate(`document.querySelectorAll('[data-chart]').length`)) >= 30);
    t.same(
      await page.evaluate(EMPTY_CHARTS),
      [],
      'every chart shows one picture with something in it',
    );
    t.same(await page.evaluate(OVERFLOWING), [], 'nothing reaches out of the window');
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
    t.same(await page.evaluate(CROWDED), [], 'no label is cut off or lies upon another');
    t.same(complaints, []);
  });
}

t.test(
  'both themes, as the machine has it and as the reader chooses',
  { skip: SKIP },
  async (t) => {
    const background = 'getComputedStyle(document.documentElement).backgroundColor';
    const line = `getComputedStyle(document.querySelector('#chart-rtt-echo-saturated path[stroke]')).stroke`;
    const seen: Record<string, unknown[]> = {};
    for (const theme of ['light', 'dark'] as const) {
      const { page, complaints } = await open(t, 1280, theme);
      for (const choice of ['auto', 'light', 'dark']) {
        await page.evaluate(`document.querySelector('#theme-${choice}').click()`);
        seen[`${theme} ${choice}`] = [await page.evaluate(background), await page.evaluate(line)];
      }
      t.same(complaints, []);
    }
    const [light, dark] = [seen['light auto'], seen['dark auto']];
    t.same(light, ['rgb(246, 247, 249)', 'rgb(0, 104, 168)']);
    t.same(dark, ['rgb(14, 17, 22)', 'rgb(86, 180, 233)']);
    t.same([seen['light light'], seen['dark light']], [light, light]);
    t.same([seen['light dark'], seen['dark dark']], [dark, dark]);
  },
);

t.test('pictures are told to those who cannot see them', { skip: SKIP }, async (t) => {
  const { page } = await open(t, 1280, 'light');
  const unnamed = `[...document.querySelectorAll('.picture svg')].filter((svg) => {
    const [title, about] = svg.getAttribute('aria-labelledby').split(' ').map((id) => document.getElementById(id));
    return svg.getAttribute('role') !== 'img' || !title?.textContent || !about?.textContent;
  }).length`;
  t.equal(await page.evaluate(unnamed), 0);
  const untold = `[...document.querySelectorAll('figure')].filter((it) => it.querySelector('table tbody tr') === null).length`;
  t.equal(await page.evaluate(untold), 0, 'each has its figures as a table');
  const tree = await page.accessibility.snapshot();
  t.match(JSON.stringify(tree), /"role":"radio"[^{}]*"name":"dark"/);
});
