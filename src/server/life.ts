import { TransportError } from '../util/errors.js';

/** How far the end of a server has come. Handlers still run while it says its goodbyes. */
export class Life {
  /** It says, or has said, goodbye to everybody. */
  isClosing = false;
  /** Nothing is left of it. */
  isOver = false;

  /** @throws TransportError closed */
  requireOpen(): void {
    if (this.isClosing) throw closed();
  }

  /** As `requireOpen`, but goodbyes are still life. @throws TransportError closed */
  requireAlive(): void {
    if (this.isOver) throw closed();
  }
}

function closed(): TransportError {
  return new TransportError('closed', 'ggscale: the server is closed');
}
