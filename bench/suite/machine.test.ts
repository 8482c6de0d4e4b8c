import t from 'tap';
import { cpusOf } from './machine.js';

t.test("the kernel's list of processors is read, whatever it begins with", (t) => {
  t.same(cpusOf('0-1'), [0, 1]);
  t.same(cpusOf('4-5,8'), [4, 5, 8]);
  t.same(cpusOf('3'), [3]);
  t.end();
});
