import t from 'tap';
import { PLAYER_ID_BYTES_MAX, readUserData, writeUserData } from './user-data.js';

const ID = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

t.test('what is written is read back', async (t) => {
  for (const playerId of ['a', 'zoë', 'p'.repeat(PLAYER_ID_BYTES_MAX)]) {
    const { playerId: read, ticketId } = readUserData(writeUserData(ID, playerId), 7n);
    t.equal(read, playerId);
    t.same(ticketId, ID);
  }
});

t.test('ids that do not fit are refused', async (t) => {
  t.throws(() => writeUserData(ID, ''), RangeError);
  t.throws(() => writeUserData(ID, 'p'.repeat(PLAYER_ID_BYTES_MAX + 1)), RangeError);
});

t.test('user data of a foreign backend names the player by the client id', async (t) => {
  const foreign = { playerId: 'netcode:70000', ticketId: null, isResume: false };
  t.same(readUserData(new Uint8Array(256), 70000n), foreign);
  t.same(readUserData(new Uint8Array(256).fill(255), 70000n), foreign);
  const cut = writeUserData(ID, 'anna');
  cut[12] = 0;
  t.same(readUserData(cut, 70000n), foreign);
});
