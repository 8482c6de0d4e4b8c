import { VERSION } from '../util/version.js';

/** What the SDK calls itself in `User-Agent`. */
export const SDK_VERSION = VERSION;
export const DEFAULT_USER_AGENT = `ggscale-ts/${SDK_VERSION}`;

/** What this client is faithful to: the reference SDK, and the server whose wire that speaks. */
export const CONTRACT = { sdk: 'ggscale-go v0.7.0', server: 'v0.9.71' } as const;
