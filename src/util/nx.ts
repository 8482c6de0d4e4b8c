/**
 * What an end does about NX, the extension of netcode 1.02 with connection ids and keys of its own
 * (docs/wire/nx.md). `allow`: used with peers that know it; `require`: nobody else gets in; `off`:
 * never.
 */
export type NxMode = 'off' | 'allow' | 'require';
