/** Both receivers about the same flow: where they differ first, and with how few steps. */
import type { Decoder } from './decoder.js';
import { type Play, replay } from './generate.js';
import type { Step } from './player.js';

export interface Difference {
  play: Play;
  /** Index of the step. */
  step: number;
  typescript: string;
  rust: string;
}

/** The first answer that differs, or null. */
export async function compare(decoder: Decoder, play: Play): Promise<Difference | null> {
  const lines = play.questions.flatMap((question) => question.lines);
  const answers = await decoder.ask(lines);
  for (const [index, question] of play.questions.entries()) {
    const rust = answers[index] ?? 'no answer';
    if (rust === 'undecided') {
      break;
    }
    if (rust !== question.answer) {
      return { play, step: question.step, typescript: question.answer, rust };
    }
  }
  if (play.thrown === null) {
    return null;
  }
  const step = Math.max(0, play.steps.length - 1);
  return { play, step, typescript: `threw ${play.thrown}`, rust: 'nothing' };
}

/** Leaves steps out as long as there is a difference of the same kind (delta debugging). */
export async function minimise(decoder: Decoder, found: Difference): Promise<Difference> {
  let best = found;
  const differs = async (steps: Step[]) => {
    const next = await compare(decoder, replay(found.play.config, steps));
    return next !== null && kindOf(next) === kindOf(found) ? next : null;
  };
  let steps = found.play.steps.slice(0, found.step + 1);
  best = (await differs(steps)) ?? best;
  for (let size = steps.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < steps.length; ) {
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)];
      const next = await differs(fewer);
      if (next === null) {
        at += size;
      } else {
        best = next;
        steps = next.play.steps.slice(0, next.step + 1);
      }
    }
  }
  return best;
}

/** The verdicts; what exactly was delivered may change when steps are left out. */
function kindOf({ typescript, rust }: Difference): string {
  const verdict = (text: string) => text.replace(/ \| .*/, '').replace(/\d+/g, '#');
  return `${verdict(typescript)} / ${verdict(rust)}`;
}

/** For people, and to be replayed. */
export function describe(found: Difference): string {
  const { config, steps } = found.play;
  return [
    `step ${found.step}: src/protocol says ${found.typescript}`,
    `${' '.repeat(`step ${found.step}`.length)}  native/rl1 says ${found.rust}`,
    JSON.stringify({ config, steps }),
  ].join('\n');
}
