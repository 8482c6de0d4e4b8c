/** Known to everybody: the suite's servers run for a minute, on loopback or in a namespace. */
export const PRIVATE_KEY = '42'.repeat(32);
