import t from 'tap';
import { isPropertyKey, parseQuery } from './match-query.js';

const TICKET = {
  strings: { map: 'arena-2', title: 'Two Words', region: '', and_more: 'x' },
  numbers: { skill: 1420.5, level: 0, far: Number.POSITIVE_INFINITY },
};

t.test('a query takes who fits it', async (t) => {
  const held = [
    '',
    '  ',
    '*',
    'map:arena-2',
    'map : arena-2',
    'title:"Two Words"',
    'region:""',
    'skill=1420.5',
    'skill!=1',
    'skill>1420 AND skill<1421',
    'skill>=1420.5 and skill<=1.4205e3',
    'level=-0',
    'far>1e300',
    'far=inf',
    'NOT map:arena-1',
    'not not map:arena-2',
    'map:no OR skill>1 AND level=0',
    'level=0 OR map:no AND map:no',
    'NOT map:no AND level=0',
    '(map:no OR *) AND and_more:x',
  ];
  const failed = [
    'map:Arena-2',
    'map:"arena-2 "',
    'skill:1420.5',
    'map=1',
    'nothing:x',
    'nothing!=1',
    'skill>1420.5',
    'level=nan',
    '(map:arena-2 OR *) AND map:no',
    'NOT (map:no OR *)',
    'NOT map:arena-2 AND level=0',
  ];
  for (const query of held) t.equal(parseQuery(query)(TICKET), true, query);
  for (const query of failed) t.equal(parseQuery(query)(TICKET), false, query);
});

t.test('what is no query is refused', async (t) => {
  const texts = ['map', 'map:', 'map:(', 'map:and', 'skill>', 'skill>x', 'skill! 1', 'Map:x'];
  const others = ['12:x', '1e5:x', 'inf=1', '(map:x', 'map:x)', 'AND', 'map:x map:y', '()', 'NOT'];
  for (const text of [...texts, ...others, '"map":x', 'map:"x', 'a§b:x', 'x'.repeat(513)]) {
    t.throws(() => parseQuery(text), /^query: /, text.slice(0, 20));
  }
  t.ok(parseQuery(`map:${'x'.repeat(508)}`), '512 bytes are one');
});

t.test('a property has a name that a query can say', async (t) => {
  for (const key of ['a', '_', 'map_2', '2v2', 'x'.repeat(64)]) t.ok(isPropertyKey(key), key);
  for (const key of ['', 'A', 'a-b', 'a b', '12', '1e5', 'inf', 'nan', 'x'.repeat(65)]) {
    t.notOk(isPropertyKey(key), key);
  }
});
