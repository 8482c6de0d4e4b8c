declare const KIND: unique symbol;

/**
 * What a native module needs to read an endpoint's counters in this process, by the C interface of
 * `@ggscale/transport/ggscale_transport.h`. JavaScript can only pass it on, and not to another thread.
 */
export interface NativeHandle {
  readonly [KIND]: 'ggscale-endpoint';
}
