import type { Endpoint } from '../addon/index.js';
import type { Rings } from '../addon/rings.js';

type Used =
  | 'drain'
  | 'flush'
  | 'connect'
  | 'address'
  | 'setAdmission'
  | 'admission'
  | 'clockUs'
  | 'nativeNs'
  | 'nativeHandle'
  | 'drops'
  | 'flowStats'
  | 'flowAddress'
  | 'close';

/** What a runtime needs of its endpoint: rings, and a few calls. Real and simulated ones have it. */
export type RuntimeEndpoint = Rings &
  Pick<Endpoint, Used> & {
    /** What the system beneath gave; nothing of a simulated one. */
    features(): Readonly<Record<string, boolean | number | string>>;
  };
