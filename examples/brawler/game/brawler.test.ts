import t from 'tap';
import { Bot } from './bot.js';
import { EventDigest } from './digest.js';
import {
  Action,
  BoomerangPhase,
  GameEvent,
  GameEventKind,
  type GameEventValue,
  Input,
  type InputValue,
  MatchState,
  Snapshot,
} from './messages.js';
import { GROUND_Y, HEALTH_FULL, LIVES_FULL, STEPS_PER_SECOND } from './rules.js';
import { SnapshotWriter } from './snapshot.js';
import { step, takeInput } from './step.js';
import {
  addFighter,
  createMatch,
  type Fighter,
  type Match,
  removeFighter,
  startRound,
} from './world.js';

const FRAME_MS = 1000 / STEPS_PER_SECOND;

interface Played {
  match: Match;
  digest: string;
  events: GameEventValue[];
  inputs: number;
}

/** Four bots against each other with a perfect network. */
function play(seed: number, steps: number, each?: (match: Match, writer: SnapshotWriter) => void) {
  const match = createMatch(seed);
  const writer = new SnapshotWriter(match);
  const digest = new EventDigest();
  const bots = [0, 1, 2, 3].map((index) => new Bot(seed * 16 + index));
  for (const _ of bots) addFighter(match);
  startRound(match);
  const played: Played = { match, digest: '', events: [], inputs: 0 };
  for (let frame = 0; frame < steps; frame += 1) {
    writer.fill();
    for (const [index, bot] of bots.entries()) {
      const message = bot.frame(frame * FRAME_MS, writer.value, index + 1);
      if (message === null) continue;
      played.inputs += 1;
      takeInput(match.fighters[index], message);
    }
    step(match);
    for (const event of match.events) digest.add(event);
    played.events.push(...match.events);
    match.events.length = 0;
    each?.(match, writer);
  }
  played.digest = digest.toString();
  return played;
}

/** A match in play with `count` fighters standing on the ground, 300 px apart. */
function arena(count: number): { match: Match; fighters: Fighter[] } {
  const match = createMatch(1);
  for (let index = 0; index < count; index += 1) addFighter(match);
  startRound(match);
  while (match.state !== MatchState.Playing) step(match);
  for (let settle = 0; settle < 120; settle += 1) step(match);
  const fighters = match.fighters.slice(0, count);
  for (const fighter of fighters) {
    fighter.x = 600 + 300 * fighter.index;
    fighter.y = GROUND_Y - 36;
    fighter.facing = 1;
  }
  step(match);
  match.events.length = 0;
  return { match, fighters };
}

function press(fighter: Fighter, actions: number, direction = 0): void {
  const seq = fighter.input.lastSeq + 1;
  takeInput(fighter, { inputs: [{ seq, clientMs: 0, actions, direction }] });
}

function kinds(match: Match): GameEventKind[] {
  return match.events.map((event) => event.kind);
}

t.test('the same seed plays the same match, another seed another one', async (t) => {
  const first = play(3, 1800);
  t.equal(play(3, 1800).digest, first.digest);
  t.not(play(4, 1800).digest, first.digest);
  t.match(first.digest, /^\d+:[0-9a-f]{8}$/);
});

t.test('a minute of play has the rates of the workload', async (t) => {
  const seconds = 60;
  let jsonBytes = 0;
  let twoBoomerangs = 0;
  const played = play(11, seconds * STEPS_PER_SECOND, (_match, writer) => {
    if (writer.value.boomerangs.length !== 2) return;
    twoBoomerangs += 1;
    jsonBytes += JSON.stringify(writer.value).length;
  });
  const eventsPerSecond = played.events.length / seconds;
  t.ok(eventsPerSecond > 3 && eventsPerSecond < 8, `${eventsPerSecond} events/s`);
  const inputsPerSecond = played.inputs / seconds / 4;
  t.ok(inputsPerSecond > 22 && inputsPerSecond < 30, `${inputsPerSecond} inputs/s`);
  for (const kind of Object.values(GameEventKind)) {
    t.ok(
      played.events.some((event) => event.kind === kind),
      `event kind ${kind} happens`,
    );
  }
  const bytes = Math.round(jsonBytes / twoBoomerangs);
  t.ok(
    bytes > 900 && bytes <= 1099,
    `snapshot of 4 + 2 as JSON: ${bytes} B, measured game: 1,099 B`,
  );
  t.comment(
    `${eventsPerSecond.toFixed(1)} events/s, ${inputsPerSecond.toFixed(1)} inputs/s, ${bytes} B`,
  );
});

t.test('every value is one that the messages take, unchanged by the wire', async (t) => {
  const out = new Uint8Array(4096);
  const played = play(5, 3600, (_match, writer) => {
    if (!Snapshot.accepts(writer.value)) t.fail(`refused: ${JSON.stringify(writer.value)}`);
  });
  const writer = new SnapshotWriter(played.match);
  writer.fill();
  Snapshot.encode(writer.value, out, 0, out.length);
  t.same(Snapshot.read(out, 0, out.length), writer.value);
  for (const event of played.events) {
    const length = GameEvent.encode(event, out, 0, out.length);
    t.same(GameEvent.read(out, 0, length), event, 'float32 loses nothing');
    t.ok(length > 0 && length < 64);
  }
});

t.test('a bot repeats its input every 50 ms and carries the last three frames', async (t) => {
  const bot = new Bot(1);
  const seqs: number[] = [];
  let last = 0;
  for (let frame = 0; frame < 600; frame += 1) {
    const message: InputValue | null = bot.frame(frame * FRAME_MS, null, 0);
    if (message === null) continue;
    t.ok(Input.accepts(message));
    t.ok(frame * FRAME_MS - last < 50 + FRAME_MS);
    last = frame * FRAME_MS;
    seqs.push(message.inputs[0].seq);
    const wanted = [0, 1, 2].map((back) => message.inputs[0].seq - back).filter((seq) => seq > 0);
    t.same(
      message.inputs.map((input) => input.seq),
      wanted,
    );
  }
  t.same(
    seqs,
    seqs.map((_, index) => index + 1),
  );
  t.equal(bot.lastSeq, seqs.length);
});

t.test('a press that only a redundant copy carries still counts, and counts once', async (t) => {
  const { match, fighters } = arena(1);
  const [fighter] = fighters;
  const frame = (seq: number, actions: number) => ({ seq, clientMs: 0, actions, direction: 0 });
  // Frame 1 (the press) was lost; frame 2 (let go) carries a copy of it.
  takeInput(fighter, { inputs: [frame(2, 0), frame(1, Action.Jump)] });
  step(match);
  t.ok(fighter.vy < 0, 'it jumps');
  const rising = fighter.vy;
  takeInput(fighter, { inputs: [frame(3, 0), frame(2, 0), frame(1, Action.Jump)] });
  step(match);
  t.ok(fighter.vy > rising, 'and does not jump again');
  takeInput(fighter, { inputs: [frame(2, Action.Attack)] });
  t.equal(fighter.input.held, 0, 'an old frame is ignored');
});

t.test('a swing hits who stands in front, once', async (t) => {
  const { match, fighters } = arena(2);
  const [actor, target] = fighters;
  target.x = actor.x + 50;
  press(actor, Action.Attack);
  for (let index = 0; index < 20; index += 1) step(match);
  t.same(kinds(match), [GameEventKind.MeleeAttack, GameEventKind.MeleeHit]);
  t.equal(target.health, HEALTH_FULL - match.events[1].damage);
  t.equal(actor.score, match.events[1].damage);
  t.equal(match.events[1].target, target.netId);
});

t.test('a boomerang is charged, thrown, hits both ways and is caught', async (t) => {
  const { match, fighters } = arena(2);
  const [actor, target] = fighters;
  press(actor, Action.Boomerang);
  for (let index = 0; index < 60; index += 1) step(match);
  t.equal(match.boomerangs[0].phase, BoomerangPhase.Charging);
  t.equal(match.boomerangs[0].charge, 1);
  press(actor, 0);
  for (let index = 0; index < 200; index += 1) step(match);
  t.same(kinds(match), [
    GameEventKind.BoomerangCharge,
    GameEventKind.BoomerangThrow,
    GameEventKind.BoomerangHit,
    GameEventKind.BoomerangHit,
    GameEventKind.BoomerangCatch,
  ]);
  t.equal(target.health, HEALTH_FULL - 2 * 18);
  t.equal(match.boomerangs[0].phase, BoomerangPhase.Held);
});

t.test('without health comes death, then a respawn; without lives the round ends', async (t) => {
  const { match, fighters } = arena(2);
  const [, victim] = fighters;
  const survivor = fighters[0];
  for (let life = LIVES_FULL; life > 0; life -= 1) {
    victim.health = 0;
    step(match);
    t.equal(victim.lives, life - 1);
    t.equal(match.events.at(-1)?.kind, GameEventKind.Death);
    if (life === 1) break;
    for (let index = 0; index < 90; index += 1) step(match);
    t.equal(match.events.at(-1)?.kind, GameEventKind.Respawn);
    t.equal(victim.health, HEALTH_FULL);
  }
  step(match);
  t.equal(match.state, MatchState.RoundOver);
  while (match.state !== MatchState.Playing) step(match);
  t.same([survivor.lives, victim.lives], [LIVES_FULL, LIVES_FULL], 'the next round begins anew');
  t.equal(match.rounds, 2);
});

t.test('a fighter who leaves frees the slot and its boomerang', async (t) => {
  const { match } = arena(4);
  t.equal(addFighter(match), null, 'four is full');
  match.boomerangs[2].phase = BoomerangPhase.Flying;
  removeFighter(match, 2);
  const writer = new SnapshotWriter(match);
  writer.fill();
  t.same(
    writer.value.players.map((player) => player.netId),
    [1, 2, 4],
  );
  t.same(writer.value.boomerangs, []);
  t.equal(addFighter(match)?.netId, 3);
});

t.test('the digest depends on every event and on their order', async (t) => {
  const events = play(9, 900).events.slice(0, 3);
  const digestOf = (list: GameEventValue[]): string => {
    const digest = new EventDigest();
    for (const event of list) digest.add(event);
    return digest.toString();
  };
  t.equal(events.length, 3);
  t.not(digestOf(events), digestOf([events[1], events[0], events[2]]));
  t.not(digestOf(events), digestOf([events[0], events[1], { ...events[2], damage: 59 }]));
  t.not(digestOf(events), digestOf(events.slice(0, 2)));
});
