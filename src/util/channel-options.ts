/** How a channel shares the wire with the others of its connection. */
export interface ChannelOptions {
  /**
   * 0 (first) … 7, default 4. While a channel has something to send and leave to send it, those
   * of higher numbers wait; fragments of a large message are separate in this.
   */
  priority?: number;
  /** Share among channels of the same priority that all have more than fits, 1…255, default 1. */
  weight?: number;
}
