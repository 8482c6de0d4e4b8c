import t from 'tap';
import { SESSION_WINDOW } from './limits.js';
import { TextSendLog } from './text-send-log.js';

t.test('one cumulative count of frames releases the texts below it', async (t) => {
  const log = new TextSendLog();
  log.push('aaaa');
  log.countFrame();
  log.push('bb');
  t.equal(log.bytesHeld, 6);
  t.ok(log.acknowledge(1));
  t.equal(log.bytesHeld, 2);
  t.ok(log.acknowledge(2), 'an unlogged frame');
  t.equal(log.bytesHeld, 2);
  t.ok(log.acknowledge(3));
  t.ok(log.isEmpty);
  t.notOk(log.acknowledge(4), 'more than were sent');
});

t.test('it is full at the window and empties again', async (t) => {
  const log = new TextSendLog();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < SESSION_WINDOW; i++) log.push('x');
    t.notOk(log.hasRoom(1));
    log.acknowledge(log.frames);
    t.ok(log.isEmpty && log.hasRoom(1));
  }
});
