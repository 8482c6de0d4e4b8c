/**
 * Views that are used after their handler returned, noticed in development.
 *
 * A view is one object per type that is set on each message in turn. Whoever keeps it reads, later, what
 * then lies there: the next message, or bytes that are something else by now. Telling costs a call for
 * each message, so it is asked for when a handler is added, and the path of others has nothing of it.
 * It cannot tell what is read while the view is set again, for another message of its type.
 */
import { TransportError } from '../util/errors.js';
import { checkHandler } from '../util/handlers.js';
import type { Meta } from './types.js';

type ViewHandler<O> = (owner: O, view: never, meta: Meta) => unknown;

/** What accessors of generated views read from; see `EMPTY_VIEW`. */
interface Accessor {
  $dv: DataView;
}

/** The handler; its view, and those inside it, throw `view-spent` once it has returned. */
export function spending<O>(handler: ViewHandler<O>): ViewHandler<O> {
  checkHandler(handler);
  return (owner, view, meta) => {
    try {
      return handler(owner, view, meta);
    } finally {
      spend(view);
    }
  };
}

function spend(view: object): void {
  if (!isAccessor(view)) return;
  view.$dv = SPENT;
  for (const part of Object.values(view)) {
    if (typeof part === 'object' && part !== null) spend(part);
  }
}

function isAccessor(value: object): value is Accessor {
  return '$dv' in value;
}

/** Bytes that nobody may read any more. */
class SpentBytes extends DataView<ArrayBuffer> {
  override getInt8 = refuse;
  override getUint8 = refuse;
  override getInt16 = refuse;
  override getUint16 = refuse;
  override getInt32 = refuse;
  override getUint32 = refuse;
  override getFloat32 = refuse;
  override getFloat64 = refuse;
}

function refuse(): never {
  throw new TransportError(
    'view-spent',
    'ggscale: a view was used after its handler had returned, or after an await in it; read what you ' +
      'need before, or take plain values with `on`',
  );
}

const SPENT: DataView = new SpentBytes(new ArrayBuffer(0));
