import t from 'tap';
import { TICKET_LIFETIME_S, TICKETS_PER_PLAYER_MAX, TicketBook } from './tickets.js';

t.test('a ticket is spent by its first use', async (t) => {
  const book = new TicketBook(() => 0);
  const minted = book.mint('anna');
  t.ok(minted.ok);
  if (!minted.ok) return;
  t.match(minted.ticket, /^[\w-]{43}$/);
  t.equal(book.consume(minted.ticket), 'anna');
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
