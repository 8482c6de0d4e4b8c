/** What is HTML: cards, clock, kill feed, connection details. */
import {
  GameEventKind,
  type GameEventValue,
  MatchState,
  type PlayerStateValue,
  type SnapshotValue,
} from '@ggscale/transport/messages';
import { HEALTH_FULL, LIVES_FULL } from '../game/rules.js';
import type { RosterEntry } from '../messages.js';
import { colourOf } from './figures.js';
import type { Net } from './net.js';

const FEED_MAX = 5;
const STATE_TEXT: Readonly<Record<number, string>> = {
  [MatchState.Countdown]: 'Get ready!',
  [MatchState.RoundOver]: 'Round over',
  [MatchState.MatchOver]: 'Match over',
};

export class Hud {
  readonly #cards = element('cards');
  readonly #clock = element('clock').querySelector('b') as HTMLElement;
  readonly #shout = element('clock').querySelector('span') as HTMLElement;
  readonly #feed = element('feed');
  readonly #net = element('net');
  readonly #notice = element('notice');
  readonly #cardOf = new Map<number, HTMLElement>();
  #isBrief = matchMedia('(max-width: 620px), (max-height: 500px)').matches;

  constructor() {
    this.#net.addEventListener('click', () => {
      this.#isBrief = !this.#isBrief;
    });
  }

  show(): void {
    for (const id of ['top', 'net']) element(id).hidden = false;
    element('touch').hidden = !matchMedia('(pointer: coarse)').matches;
  }

  notice(text: string): void {
    if (this.#notice.textContent !== text) this.#notice.textContent = text;
    this.#notice.hidden = text === '';
  }

  /** About ten times a second is enough. */
  update(net: Net, snapshot: SnapshotValue): void {
    const seconds = Math.ceil(snapshot.timeRemainingMs / 1000);
    this.#clock.textContent = `${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, '0')}`;
    this.#shout.textContent = STATE_TEXT[snapshot.matchState] ?? '';
    for (const [netId, card] of this.#cardOf) {
      if (snapshot.players.some((player) => player.netId === netId)) continue;
      card.remove();
      this.#cardOf.delete(netId);
    }
    for (const player of snapshot.players) {
      const entry = net.roster.find(({ netId }) => netId === player.netId);
      this.#updateCard(player, entry, player.netId === net.netId);
    }
    this.#updateNet(net);
  }

  tell(event: GameEventValue, roster: readonly RosterEntry[]): void {
    const isDeath = event.kind === GameEventKind.Death;
    if (!isDeath && event.kind !== GameEventKind.BoomerangHit) return;
    const name = (netId: number) => {
      const text = document.createElement('span');
      text.textContent = roster.find((entry) => entry.netId === netId)?.name ?? '?';
      text.style.color = colourOf(netId);
      return text;
    };
    const line = document.createElement('li');
    if (!isDeath) line.append(name(event.actor), ` ➤ ${event.damage} `, name(event.target));
    else if (event.target === 0) line.append(name(event.actor), ' is out');
    else line.append(name(event.target), ' knocked out ', name(event.actor));
    if (isDeath) line.className = 'out';
    line.addEventListener('animationend', () => line.remove());
    this.#feed.append(line);
    while (this.#feed.children.length > FEED_MAX) this.#feed.firstChild?.remove();
  }

  #updateCard(player: PlayerStateValue, entry: RosterEntry | undefined, isMe: boolean): void {
    let card = this.#cardOf.get(player.netId);
    if (card === undefined) {
      card = document.createElement('li');
      card.style.setProperty('--who', colourOf(player.netId));
      card.style.order = `${player.netId}`;
      card.innerHTML =
        '<div class="name"><span></span><span class="wire"></span></div><div class="bar"><i></i></div>' +
        '<div class="line"><span class="lives"></span><span class="kills"></span></div>';
      this.#cardOf.set(player.netId, card);
      this.#cards.append(card);
    }
    card.className = `${isMe ? 'me' : ''} ${player.lives === 0 ? 'out' : ''}`;
    const part = (selector: string) => card.querySelector(selector) as HTMLElement;
    part('.name span').textContent = isMe ? `${entry?.name ?? ''} (you)` : (entry?.name ?? '');
    part('.wire').textContent = entry?.wire === 'udp' ? 'UDP' : 'WS';
    part('.bar i').style.width = `${(100 * player.health) / HEALTH_FULL}%`;
    part('.lives').textContent =
      '♥'.repeat(player.lives) + '♡'.repeat(Math.max(0, LIVES_FULL - player.lives));
    part('.kills').textContent = `${entry?.kills ?? 0} KO`;
  }

  #updateNet(net: Net): void {
    const { connection, playout } = net;
    const stats = connection.stats();
    const ms = (value: number) => (Number.isFinite(value) ? `${value.toFixed(1)} ms` : '–');
    const kbit = (bytes: number) => ((bytes * 8) / 1000).toFixed(0);
    const level = stats.quality > 0.8 ? 'good' : stats.quality > 0.5 ? 'fair' : 'poor';
    const rows: [string, string, string?][] = [
      ['ping', ms(stats.rttMs), level],
      ['jitter', ms(stats.jitterMs)],
    ];
    if (!this.#isBrief) {
      rows.unshift(['wire', connection.wire === 'udp' ? 'UDP' : 'WebSocket']);
      rows.push(
        ['tick', `${connection.tickToSend()}`],
        ['input lead', ms(connection.inputLead())],
        ['playout', ms(playout.stats().delayMs)],
        ['kbit/s', `${kbit(stats.bytesInPerSecond)} ↓ ${kbit(stats.bytesOutPerSecond)} ↑`],
      );
    }
    this.#net.replaceChildren(
      ...rows.map(([label, value, className = '']) => {
        const row = document.createElement('span');
        const number = document.createElement('b');
        number.textContent = value;
        number.className = className;
        row.append(label, number);
        return row;
      }),
    );
  }
}

export function element(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}
