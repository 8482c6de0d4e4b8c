/** One seed is one flow: its configuration and its steps, made while the flow is played. */
import { Prng } from '../../src/util/prng.js';
import { drawConfig, type FlowConfig } from './config.js';
import { pick } from './draw.js';
import { Peer } from './peer.js';
import { Player, type Question, type Step } from './player.js';

export interface Play {
  config: FlowConfig;
  steps: Step[];
  questions: Question[];
  /** What the Protocol threw, if it did; the steps end there. */
  thrown: string | null;
}

const STEPS_MAX = 400;
const STEPS_AFTER_END = 4;
/** No multiple of it is 500 ms: on that very microsecond a fragment may be there or not. */
const QUANTUM_US = 7000;

/** `change` may alter what was drawn. */
export function generate(seed: number, change?: (config: FlowConfig) => void): Play {
  const prng = new Prng(seed);
  const config = drawConfig(prng);
  change?.(config);
  const peer = new Peer(prng, config);
  const player = new Player(config);
  const play: Play = { config, steps: [], questions: player.questions, thrown: null };
  let atUs = 0;
  const talkative = prng.chance(1, 4);
  let left = 20 + prng.below(STEPS_MAX);
  player.sent.forEach((bytes) => {
    peer.hear(bytes);
  });
  while (left > 0) {
    left -= 1;
    atUs += QUANTUM_US * pick(prng, [0, 0, 0, 1, 1, 2, 10, prng.chance(1, 10) ? 72 : 3]);
    const step = drawStep(prng, peer, atUs, talkative);
    play.steps.push(step);
    try {
      const answer = player.play(step);
      if (step.kind === 'in') {
        peer.learn(answer.startsWith('accept'));
      }
      if (/ \| (closed|violation|raw) /.test(answer)) {
        left = Math.min(left, STEPS_AFTER_END);
      }
    } catch (error) {
      play.thrown = String(error);
      return play;
    }
    player.sent.forEach((bytes) => {
      peer.hear(bytes);
    });
  }
  play.thrown = ended(player);
  return play;
}

/** The same steps again, perhaps fewer. */
export function replay(config: FlowConfig, steps: readonly Step[]): Play {
  const player = new Player(config);
  const play: Play = { config, steps: [], questions: player.questions, thrown: null };
  try {
    for (const step of steps) {
      play.steps.push(step);
      player.play(step);
    }
  } catch (error) {
    play.thrown = String(error);
    return play;
  }
  play.thrown = ended(player);
  return play;
}

function ended(player: Player): string | null {
  try {
    player.end();
    return null;
  } catch (error) {
    return String(error);
  }
}

/** What happens next; a talkative application sends as often as it receives. */
function drawStep(prng: Prng, peer: Peer, atUs: number, talkative: boolean): Step {
  if (prng.chance(1, talkative ? 2 : 12)) {
    const length = pick(prng, [0, prng.below(200), prng.below(200), prng.below(4000)]);
    const mode = prng.below(4);
    const channel = prng.below(Math.min(3, peer.config.limits.channels));
    return { kind: 'send', atUs, channel, mode, length };
  }
  if (prng.chance(1, 30)) {
    const portOnly = prng.chance(1, 2);
    return prng.chance(1, 4) ? { kind: 'move', atUs, portOnly } : { kind: 'wait', atUs };
  }
  if (prng.chance(1, 1000)) {
    return { kind: 'close', atUs, code: prng.below(0x10000) };
  }
  return { kind: 'in', atUs, hex: Buffer.from(peer.next()).toString('hex') };
}
