/** Keyboard and touch, as the game's buttons: which are down now. */
import { Action } from '@ggscale/transport/messages';

type Key = 'left' | 'right' | 'jump' | 'attack' | 'boomerang' | 'crouch' | 'up';

/** By `KeyboardEvent.code`: where the key is, whatever is printed on it. */
const KEYS: Readonly<Record<string, readonly Key[]>> = {
  ArrowLeft: ['left'],
  KeyA: ['left'],
  ArrowRight: ['right'],
  KeyD: ['right'],
  ArrowUp: ['jump', 'up'],
  KeyW: ['jump', 'up'],
  Space: ['jump'],
  ArrowDown: ['crouch'],
  KeyS: ['crouch'],
  KeyJ: ['attack'],
  KeyX: ['attack'],
  KeyK: ['boomerang'],
  KeyC: ['boomerang'],
};

const ACTIONS: Readonly<Partial<Record<Key, number>>> = {
  jump: Action.Jump,
  attack: Action.Attack,
  boomerang: Action.Boomerang,
  crouch: Action.Crouch,
  up: Action.Up,
};

export class Controls {
  /** What holds a key down: a keyboard key or a finger. */
  readonly #down = new Map<string, readonly Key[]>();
  /** Taps that ended before anybody looked. */
  #tapped = 0;

  constructor(touch: HTMLElement) {
    addEventListener('keydown', (event) => {
      const keys = KEYS[event.code];
      const isTyping = event.target instanceof HTMLInputElement;
      if (keys === undefined || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.#press(event.code, keys);
    });
    addEventListener('keyup', (event) => this.#down.delete(event.code));
    addEventListener('blur', () => this.#down.clear());
    for (const button of touch.querySelectorAll<HTMLElement>('[data-key]')) {
      const keys = [button.dataset.key as Key];
      const release = (event: PointerEvent) => {
        this.#down.delete(`finger ${event.pointerId}`);
        button.classList.remove('down');
      };
      button.addEventListener('pointerdown', (event) => {
        event.preventDefault();
        button.setPointerCapture(event.pointerId);
        button.classList.add('down');
        this.#press(`finger ${event.pointerId}`, keys);
      });
      button.addEventListener('pointerup', release);
      button.addEventListener('pointercancel', release);
    }
  }

  /** Bits of Action that are down or were tapped since the last call, and −1, 0 or 1. */
  read(): { actions: number; direction: number } {
    const keys = new Set([...this.#down.values()].flat());
    const actions = bitsOf(keys) | this.#tapped;
    this.#tapped = 0;
    return { actions, direction: (keys.has('right') ? 1 : 0) - (keys.has('left') ? 1 : 0) };
  }

  #press(source: string, keys: readonly Key[]): void {
    this.#down.set(source, keys);
    this.#tapped |= bitsOf(keys);
  }
}

function bitsOf(keys: Iterable<Key>): number {
  let bits = 0;
  for (const key of keys) bits |= ACTIONS[key] ?? 0;
  return bits;
}
