/**
 * `npm run gate`: rounds of the main job, each of which runs both wires at the same time, judged by
 * medians of their ratios. A round that fails counts as a failure; nothing is run again.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Report } from '../match/report.js';
import { judge, markdown } from './gate.js';

const ROUNDS = 5;
/** Two seconds of it are warm-up. */
const ROUND_S = 8;
/** Eight matches: enough work per tick that the figures are the wires' and not those of waking up. */
const PLAYERS = 32;
/** A round that hangs is a failure. */
const ROUND_TIMEOUT_MS = (ROUND_S + 25) * 1000;

const job = fileURLToPath(new URL('../match/main.js', import.meta.url));

/** @returns null when the round failed; it has then said why on stderr */
function playRound(seed: number, file: string): Promise<Report | null> {
  const args = ['--duration', `${ROUND_S}`, '--players', `${PLAYERS}`, '--seed', `${seed}`];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [job, ...args, '--report', file], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: ROUND_TIMEOUT_MS,
    });
    child.on('error', () => resolve(null));
    child.on('exit', () => {
      try {
        resolve(JSON.parse(readFileSync(file, 'utf8')) as Report);
      } catch {
        resolve(null);
      }
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), 'ggscale-gate-'));
const reports: Report[] = [];
let failed = 0;
try {
  for (let round = 1; round <= ROUNDS; round += 1) {
    const report = await playRound(round, join(folder, `round-${round}.json`));
    if (report !== null) reports.push(report);
    else {
      failed += 1;
      console.log(`round ${round} FAILED: no report`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const checks = judge(reports);
failed += checks.filter(({ passed }) => !passed).length;
const passed = checks.filter(({ passed }) => passed).length;
console.log(`${ROUNDS} rounds of ${ROUND_S} s, ${PLAYERS} players per wire, 60 Hz, loopback\n`);
console.log(markdown(reports, checks));
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
