/** Progress on stderr: a bar on a terminal, else a line per run. */
import { Presets, SingleBar } from 'cli-progress';
import { expectedMs, type RunPlan } from './plan.js';

const FORMAT = '{bar} {percentage}% │ {name} │ {doing}';

export class ProgressBar {
  private readonly bar: SingleBar | null;
  private doneMs = 0;
  private startedMs = performance.now();
  private current: RunPlan | null = null;
  private doing = '';
  private timer: NodeJS.Timeout | null = null;

  constructor(plans: readonly RunPlan[], isTerminal = process.stderr.isTTY === true) {
    this.bar = isTerminal
      ? new SingleBar({ format: FORMAT, hideCursor: true }, Presets.rect)
      : null;
    const totalMs = plans.reduce((sum, plan) => sum + expectedMs(plan), 0);
    this.bar?.start(Math.max(1, Math.round(totalMs)), 0, { name: '', doing: 'building' });
    if (this.bar !== null) {
      this.timer = setInterval(() => this.draw(), 250);
      this.timer.unref();
    }
  }

  begin(plan: RunPlan): void {
    this.current = plan;
    this.startedMs = performance.now();
    this.step('');
    if (this.bar === null) process.stderr.write(`bench: ${plan.name}\n`);
  }

  step(doing: string): void {
    this.doing = doing;
    this.draw();
  }

  end(): void {
    if (this.current !== null) this.doneMs += expectedMs(this.current);
    this.current = null;
    this.draw();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.bar?.stop();
  }

  private draw(): void {
    if (this.bar === null) return;
    const expected = this.current === null ? 0 : expectedMs(this.current);
    const done = this.doneMs + Math.min(expected, performance.now() - this.startedMs);
    this.bar.update(Math.round(done), { name: this.current?.name ?? '', doing: this.doing });
  }
}
