/** Opens the UDP side of a game server; loads the addon, so only where it is wanted. */
import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import type { GameHandlers } from './game-handlers.js';
import type { ListenerHost } from './host.js';
import type { ServerSettings, UdpSettings } from './options.js';
import type { RawFlow } from './types.js';
import type { UdpListener } from './udp-listener.js';
import { openOnUdpPort } from './udp-port.js';

export interface UdpOpenOptions {
  readonly settings: ServerSettings;
  readonly udp: UdpSettings;
  readonly host: ListenerHost;
  /** Where the HTTP listener is bound. */
  readonly http: { readonly host: string; readonly port: number };
  readonly handlers: GameHandlers;
  readonly onTick: (ticksDue: number) => void;
}

/** @throws TransportError address-in-use, permission-denied, bad-address, addon-missing … */
export async function openUdp(options: UdpOpenOptions): Promise<UdpListener> {
  const { settings, udp, host, http, handlers, onTick } = options;
  const { UdpListener } = await import('./udp-listener.js');
  const listenerOptions = {
    ...udp,
    host: isIP(settings.host) === 0 ? http.host : settings.host,
    tickHz: settings.tickHz,
    admission: settings.admission,
    channels: settings.channels,
    seed: randomInt(2 ** 31),
    onTick,
    onRawOpen: (flow: RawFlow) => handlers.rawFlow(flow),
    onRawPayload: (flow: RawFlow, bytes: Uint8Array) => handlers.rawPayload(flow, bytes),
  };
  const asked = { http: settings.port, udp: udp.port };
  return openOnUdpPort(asked, http.port, (port) => {
    return new UdpListener(host, { ...listenerOptions, port });
  });
}
