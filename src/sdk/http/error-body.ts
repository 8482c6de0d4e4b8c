/** What an answer outside 2xx says: problem JSON (RFC 9457), the legacy envelope, or plain text. */
import { GGScaleError } from '../errors.js';

/** Of a plain-text body, in the message: a proxy's page of HTML is no message. */
const DIAGNOSTIC_CHARS_MAX = 4096;

type Body = Record<string, unknown>;

export function errorOf(response: Response, text: string, requestId: string): GGScaleError {
  const body = parseObject(text);
  const message = firstText(body.detail, body.message, body.title);
  const code = firstText(body.code, body.error);
  const isSilent = message === '' && code === '';
  const diagnostic = isSilent ? text.trim().slice(0, DIAGNOSTIC_CHARS_MAX) : '';
  return new GGScaleError({
    status: response.status,
    code,
    message: message || diagnostic || code || response.statusText,
    requestId: response.headers.get('X-Request-Id') || requestId,
    retryAfter: Math.max(
      retryAfterSeconds(response.headers.get('Retry-After')),
      positive(body.retry_after_seconds),
    ),
    details: body.errors ?? body.details,
    problem: {
      type: firstText(body.type),
      title: firstText(body.title),
      detail: firstText(body.detail, body.message),
      instance: firstText(body.instance),
    },
    conflictVersion: positive(body.version) || positive(body.current_version),
  });
}

/** Seconds or an HTTP date (RFC 9110 §10.2.3); 0 for none, the past and nonsense. */
export function retryAfterSeconds(value: string | null | undefined, nowMs = Date.now()): number {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  const atMs = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return atMs > nowMs ? (atMs - nowMs) / 1000 : 0;
}

function parseObject(text: string): Body {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Body;
  } catch {
    // plain text: the whole of it is the message
  }
  return {};
}

function firstText(...parts: unknown[]): string {
  return (
    (parts.find((part) => typeof part === 'string' && part !== '') as string | undefined) ?? ''
  );
}

function positive(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}
