import t from 'tap';
import { TICKET_LIFETIME_S, TICKETS_PER_PLAYER_MAX, TicketBook } from './tickets.js';

t.test('a ticket is spent by its first use', async (t) => {
  const book = new TicketBook(() => 0);
  const minted = book.mint('anna');
  t.ok(minted.ok);
  if (!minted.ok) return;
  t.match(minted.ticket, /^[\w-]{43}$/);
  t.match(book.consume(minted.ticket), { playerId: 'anna', isResume: false });
  t.equal(book.consume(minted.ticket), null);
  t.equal(book.size, 0);
});

t.test('the connect token of the same minting spends it too', async (t) => {
  const book = new TicketBook(() => 0);
  const minted = book.mint('anna');
  if (!minted.ok) throw new Error('not minted');
  book.consumeId(minted.id);
  t.equal(book.consume(minted.ticket), null);
});

t.test('tickets expire, and with them the hold of their player', async (t) => {
  let nowMs = 0;
  const book = new TicketBook(() => nowMs);
  const tickets: string[] = [];
  for (let i = 0; i < TICKETS_PER_PLAYER_MAX; i++) {
    const minted = book.mint('anna');
    if (minted.ok) tickets.push(minted.ticket);
  }
  t.same(book.mint('anna'), { ok: false, code: 'too-many-tickets' });
  t.ok(book.mint('berta').ok, 'another player is not held back');
  nowMs = TICKET_LIFETIME_S * 1000;
  t.equal(book.consume(tickets[0]), null);
  t.equal(book.size, 0);
  t.ok(book.mint('anna').ok);
});

t.test('garbage is no ticket', async (t) => {
  const book = new TicketBook(() => 0);
  book.mint('anna');
  for (const text of ['', 'x', 'A'.repeat(43), '\0', 'é'.repeat(10_000)]) {
    t.equal(book.consume(text), null);
  }
});

t.test('whichever is used first, ticket or connect token, spends both', async (t) => {
  let nowMs = 0;
  const book = new TicketBook(() => nowMs);
  const byToken = book.mint('anna');
  const byTicket = book.mint('anna');
  if (!byToken.ok || !byTicket.ok) throw new Error('refused');
  t.ok(book.consumeId(byToken.id));
  t.equal(book.consume(byToken.ticket), null);
  t.match(book.consume(byTicket.ticket), { playerId: 'anna' });
  t.notOk(book.consumeId(byTicket.id));
  t.ok(book.consumeId(new Uint8Array(8)), 'another server of the same key may have minted it');
  nowMs = 31_000;
  t.ok(book.consumeId(byTicket.id), 'forgotten once the token itself has expired');
});
