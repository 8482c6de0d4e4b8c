/** Which library serves the port of HTTP and WebSocket. */
import { errorText, type Logger } from '../ops/index.js';
import type { FrontOptions, HttpFront } from './http-front.js';
import { NodeFront } from './node-front.js';
import type { WsEngine } from './types.js';
import { findUws, loadUws, type UwsModule } from './uws-module.js';

/** @throws TransportError engine-missing */
export async function createFront(
  engine: WsEngine,
  options: FrontOptions,
  logger: Logger,
): Promise<HttpFront> {
  if (engine === 'ws') return new NodeFront(options);
  const uws = engine === 'uws' ? await loadUws() : await findOrTell(logger);
  if (uws === null) return new NodeFront(options);
  const { UwsFront } = await import('./uws-front.js');
  return new UwsFront(options, uws);
}

/** Who installed it wants it; where it does not run, the server does all the same. */
async function findOrTell(logger: Logger): Promise<UwsModule | null> {
  try {
    return await findUws();
  } catch (error) {
    logger.warn({ error: errorText(error) }, 'uWebSockets.js does not load, ws is used');
    return null;
  }
}
