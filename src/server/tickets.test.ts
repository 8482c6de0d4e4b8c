import t from 'tap';
import { TICKET_LIFETIME_S, TICKETS_PER_PLAYER_MAX, TicketBook } from './tickets.js';
import type { TokenUser } from './user-data.js';

const ANNA = { playerId: 'anna', role: 'healer' };

/** What a connect token of anna says. */
function tokenOf(ticketId: Uint8Array | null): TokenUser {
  return { ticketId, playerId: 'anna', isResume: false };
}

t.test('a ticket is spent by its first use', async (t) => {
  const book = new TicketBook(() => 0);
  const minted = book.mint(ANNA);
  t.ok(minted.ok);
  if (!minted.ok) return;
  t.match(minted.ticket, /^[\w-]{43}$/);
  t.match(book.consume(minted.ticket), { session: ANNA, isResume: false });
  t.equal(book.consume(minted.ticket), null);
  t.equal(book.size, 0);
});

t.test('the connect token of the same minting spends it too', async (t) => {
  const book = new TicketBook(() => 0);
  const minted = book.mint(ANNA);
  if (!minted.ok) throw new Error('not minted');
  book.consumeToken(tokenOf(minted.id));
  t.equal(book.consume(minted.ticket), null);
});

t.test('a dial overtakes the tickets that its player asked for before', async (t) => {
  const book = new TicketBook(() => 0);
  const tickets = [book.mint(ANNA), book.mint(ANNA), book.mint(ANNA, true), book.mint(ANNA)];
  const [first, second, resume, last] = tickets.map((minted) => {
    if (!minted.ok) throw new Error('not minted');
    return minted;
  });
  t.match(book.consume(resume.ticket), { isOvertaken: false }, 'and no session that goes on does');
  t.match(book.consumeToken(tokenOf(second.id)), { isOvertaken: false });
  t.match(book.consume(first.ticket), { isOvertaken: true });
  t.match(book.consume(last.ticket), { isOvertaken: false });
});

t.test('tickets expire, and with them the hold of their player', async (t) => {
  let nowMs = 0;
  const book = new TicketBook(() => nowMs);
  const tickets: string[] = [];
  for (let i = 0; i < TICKETS_PER_PLAYER_MAX; i++) {
    const minted = book.mint(ANNA);
    if (minted.ok) tickets.push(minted.ticket);
  }
  t.same(book.mint(ANNA), { ok: false, code: 'too-many-tickets' });
  t.ok(book.mint({ playerId: 'berta' }).ok, 'another player is not held back');
  nowMs = TICKET_LIFETIME_S * 1000;
  t.equal(book.consume(tickets[0]), null);
  t.equal(book.size, 0);
  t.ok(book.mint(ANNA).ok);
});

t.test('garbage is no ticket', async (t) => {
  const book = new TicketBook(() => 0);
  book.mint(ANNA);
  for (const text of ['', 'x', 'A'.repeat(43), '\0', 'é'.repeat(10_000)]) {
    t.equal(book.consume(text), null);
  }
});

t.test('whichever is used first, ticket or connect token, spends both', async (t) => {
  let nowMs = 0;
  const book = new TicketBook(() => nowMs);
  const byToken = book.mint(ANNA);
  const byTicket = book.mint(ANNA);
  if (!byToken.ok || !byTicket.ok) throw new Error('refused');
  t.ok(book.consumeToken(tokenOf(byToken.id)));
  t.equal(book.consume(byToken.ticket), null);
  t.match(book.consume(byTicket.ticket), { session: ANNA });
  t.notOk(book.consumeToken(tokenOf(byTicket.id)));
  t.ok(
    book.consumeToken(tokenOf(new Uint8Array(8))),
    'another server of the same key may have minted it',
  );
  nowMs = 31_000;
  t.ok(book.consumeToken(tokenOf(byTicket.id)), 'forgotten once the token itself has expired');
});

t.test(
  'a revocation spends tickets and connect tokens, and those asked for before it',
  async (t) => {
    let nowMs = 1000;
    const book = new TicketBook(() => nowMs);
    const minted = [book.mint(ANNA), book.mint(ANNA, true)];
    const other = book.mint({ playerId: 'berta' });
    nowMs = 2000;
    book.revoke('anna');
    for (const ticket of minted) {
      if (!ticket.ok) throw new Error('refused');
      t.equal(book.consume(ticket.ticket), null);
      t.equal(book.consumeToken(tokenOf(ticket.id)), null);
    }
    if (!other.ok) throw new Error('refused');
    t.ok(book.consume(other.ticket), 'those of others are good');
    t.equal(book.consumeToken(tokenOf(new Uint8Array(8))), null, 'nor what another server minted');
    t.equal(book.consumeToken(tokenOf(null)), null);
    t.same(book.mint(ANNA, false, 1999), { ok: false, code: 'revoked' });
    nowMs = 2001;
    t.ok(book.mint(ANNA).ok, 'who is verified anew may come');
    nowMs = 2000 + TICKET_LIFETIME_S * 1000;
    t.ok(book.consumeToken(tokenOf(new Uint8Array(8))), 'what others minted before has expired');
  },
);

t.test('connect tokens of others are refused for as long as they may live', async (t) => {
  let nowMs = 0;
  const book = new TicketBook(() => nowMs, 300);
  book.revoke('anna');
  nowMs = 299_999;
  t.equal(book.consumeToken(tokenOf(null)), null);
  nowMs = 300_000;
  t.match(book.consumeToken(tokenOf(null)), { session: { playerId: 'anna' }, verifiedMs: null });
});
