// Counts what a test runner says it did. Whatever a runner does other than report tests and leave in
// good order (a crash, a file without a test, silence) becomes one failure, so no number is too good.

/** Of `cargo test` output: { passed, failed, ignored }, failures completed from the exit code. */
export function countCargo(output, exitCode) {
  const counts = { passed: 0, failed: 0, ignored: 0 };
  const result = /^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored;/gm;
  for (const [, passed, failed, ignored] of output.matchAll(result)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.ignored += Number(ignored);
  }
  const quiet = counts.passed + counts.failed === 0;
  if (counts.failed === 0 && (exitCode !== 0 || quiet)) counts.failed = 1;
  return counts;
}

/**
 * Reads tap's stream line by line. A test is a test point of a file's own level (the named tests of
 * the file). `onFile({ name, passed, failed, skipped, durationMs, lines })` comes once for each file.
 */
export class TapCounter {
  #expected;
  #onFile;
  #file = null;
  #yamlIndent = -1;
  passed = 0;
  failed = 0;
  skipped = 0;

  constructor(files, onFile = () => {}) {
    this.#expected = new Set(files);
    this.#onFile = onFile;
  }

  line(text) {
    const start = /^# Subtest: (.+)$/.exec(text);
    if (start !== null) {
      this.#file = { name: start[1], passed: 0, failed: 0, skipped: 0, lines: [] };
      return;
    }
    if (this.#file === null) return;
    this.#file.lines.push(text);
    if (this.#insideYaml(text)) return;
    const point = /^(| {4})(not )?ok \d+(?: - (.*))?$/.exec(text);
    if (point === null) return;
    if (point[1] === '') this.#finish(point[2] === undefined, point[3] ?? '');
    else if (/# (SKIP|TODO)\b/i.test(text)) this.#file.skipped++;
    else if (point[2] === undefined) this.#file.passed++;
    else this.#file.failed++;
  }

  /** After the runner's end: files it never spoke of, and an exit code worse than the counts. */
  end(exitCode) {
    for (const name of this.#expected) {
      this.failed++;
      this.#onFile({
        name,
        passed: 0,
        failed: 1,
        skipped: 0,
        lines: ['the runner gave no result'],
      });
    }
    this.#expected.clear();
    if (exitCode !== 0 && this.failed === 0) this.failed = 1;
    if (this.passed + this.failed === 0) this.failed = 1;
  }

  #insideYaml(text) {
    const mark = /^( *)(---|\.\.\.)$/.exec(text);
    if (this.#yamlIndent < 0) {
      if (mark?.[2] !== '---') return false;
      this.#yamlIndent = mark[1].length;
    } else if (mark?.[2] === '...' && mark[1].length === this.#yamlIndent) {
      this.#yamlIndent = -1;
    }
    return true;
  }

  #finish(ok, name) {
    const file = this.#file;
    // A result that names another file (tap does so for a timeout) leaves its own file without one.
    if (file === null || !name.startsWith(file.name)) return;
    this.#file = null;
    const took = / # time=([\d.]+)ms$/.exec(name)?.[1];
    file.durationMs = took === undefined ? null : Number(took);
    if (!this.#expected.delete(file.name)) return;
    if (file.failed === 0 && (!ok || file.passed + file.skipped === 0)) {
      file.failed = 1;
      if (ok) file.lines.push('the file holds no test');
    }
    this.passed += file.passed;
    this.failed += file.failed;
    this.skipped += file.skipped;
    this.#onFile(file);
  }
}

/** The closing line every part of CI ends with. */
export function closingLine(passed, failed) {
  return `${passed} passed, ${failed} failed`;
}
