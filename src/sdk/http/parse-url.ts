/**
 * A URL as every platform reads it; null: it is none. Chromium takes hosts with spaces and the like and
 * writes them percent-encoded; no host has a `%` (https://url.spec.whatwg.org/#forbidden-domain-code-point).
 */
export function parseUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url === null || url.hostname.includes('%') ? null : url;
}
