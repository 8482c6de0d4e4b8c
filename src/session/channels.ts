import type { ChannelOptions } from '../util/channel-options.js';
import { badOption } from '../util/errors.js';
import { CONTROL_CHANNEL, SESSION_CHANNELS } from './limits.js';

const PRIORITY_MAX = 7;
const WEIGHT_MAX = 255;
/** What the runtime itself has to say is small and rare, and a session waits for it. */
const CONTROL: ChannelOptions = { priority: 0 };

/**
 * The `channels` option of servers and dials, by channel, with the runtime's own at its place.
 *
 * @throws TransportError bad-option
 */
export function readChannels(
  given: Readonly<Record<number, ChannelOptions>> | undefined,
): (ChannelOptions | undefined)[] {
  if (given !== undefined && (typeof given !== 'object' || given === null)) {
    throw badOption('channels', given, 'an object by channel number');
  }
  const channels: (ChannelOptions | undefined)[] = new Array(CONTROL_CHANNEL + 1).fill(undefined);
  for (const [name, options] of Object.entries(given ?? {})) {
    const channel = Number(name);
    if (!(Number.isInteger(channel) && channel >= 0 && channel < SESSION_CHANNELS)) {
      throw badOption('channels', name, `channel numbers 0…${SESSION_CHANNELS - 1}`);
    }
    channels[channel] = readChannel(`channels[${channel}]`, options);
  }
  channels[CONTROL_CHANNEL] = CONTROL;
  return channels;
}

function readChannel(name: string, options: ChannelOptions): ChannelOptions {
  if (typeof options !== 'object' || options === null) {
    throw badOption(name, options, 'an object with priority and weight');
  }
  for (const key of Object.keys(options)) {
    if (key !== 'priority' && key !== 'weight') throw badOption(name, key, 'priority and weight');
  }
  const { priority, weight } = options;
  if (priority !== undefined && !isWithin(priority, 0, PRIORITY_MAX)) {
    throw badOption(`${name}.priority`, priority, `an integer 0 (first)…${PRIORITY_MAX}`);
  }
  if (weight !== undefined && !isWithin(weight, 1, WEIGHT_MAX)) {
    throw badOption(`${name}.weight`, weight, `an integer 1…${WEIGHT_MAX}`);
  }
  return options;
}

function isWithin(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
