/** The bodies of $resume and $resumed, as docs/wire/session.md shows them. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseResume, parseResumed } from '../../src/session/control.js';
import { ReceiveNumbers } from '../../src/session/receive-numbers.js';
import { parseReport } from '../../src/session/report.js';

interface Vectors {
  $resume: { about: string; body: object }[];
  $resumed: { about: string; body: Record<string, unknown> }[];
  delivered: { about: string; lane: number; numbers: number[]; report: number[][] }[];
  'malformed reports': { about: string; report: object }[];
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const vectors = JSON.parse(read('session/resume.json')) as Vectors;

t.test('well-formed bodies are read as they are', async (t) => {
  for (const { about, body } of vectors.$resume) t.same(parseResume(body), body, about);
  for (const { about, body } of vectors.$resumed) {
    const { clockUs: _clockUs, ...rest } = body;
    t.same(parseResumed(body), rest, about);
  }
});

t.test('a body that lacks a field, or has one of another kind, is refused', async (t) => {
  for (const [parse, [{ body }]] of [
    [parseResume, vectors.$resume],
    [parseResumed, vectors.$resumed],
  ] as const) {
    for (const name of Object.keys(body).filter((key) => key !== 'clockUs')) {
      t.equal(parse({ ...body, [name]: undefined }), null, `without ${name}`);
      t.equal(parse({ ...body, [name]: [] }), null, `${name} of another kind`);
    }
    for (const payload of [null, 1, 'x', []]) t.equal(parse(payload), null);
  }
});

t.test('reports say what was delivered', async (t) => {
  for (const { about, lane, numbers, report } of vectors.delivered) {
    const received = new ReceiveNumbers();
    for (const number of numbers) {
      if (lane % 2 === 1) received.deliverOrdered(lane);
      else received.deliverUnordered(lane, number);
    }
    t.same(received.report(), report, about);
    t.same(parseReport({ lanes: report }), { lanes: report }, about);
  }
});

t.test('malformed reports are refused', async (t) => {
  for (const { about, report } of vectors['malformed reports']) {
    t.equal(parseReport(report), null, about);
  }
});

t.test('the document shows the vectors', async (t) => {
  const document = read('../../docs/wire/session.md');
  const shown = [...document.matchAll(/```json\n(.+?)\n```/gs)].map((match) =>
    JSON.parse(match[1]),
  );
  t.same(shown, [...vectors.$resume, ...vectors.$resumed].map(({ body }) => body));
});
