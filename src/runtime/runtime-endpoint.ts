import type { Endpoint } from '../addon/index.js';
import type { Rings } from '../addon/rings.js';

type Used =
  | 'drain'
  | 'flush'
  | 'connect'
  | 'address'
  | 'setAdmission'
  | 'admission'
  | 'features'
  | 'clockUs'
  | 'drops'
  | 'flowStats'
  | 'flowAddress'
  | 'close';

/** What a runtime needs of its endpoint: rings, and a few calls. Real and simulated ones have it. */
export type RuntimeEndpoint = Rings & Pick<Endpoint, Used>;
