// Expressions for one scalar: read, write, the check of a wire value, the check of a JavaScript
// value. All are inline text: a double passed to a function that is not inlined would be boxed.

const F32_MAX = '3.4028234663852886e38';
/** Smallest magnitude that Math.fround turns into Infinity. */
const F32_OVERFLOW = '3.4028235677973366e38';
const F64_MAX = '1.7976931348623157e308';

const little = (type) => (type.size === 1 ? '' : ', true');

export function tsType(type) {
  if (type.bool) return 'boolean';
  return type.enumeration ? type.enumeration.name : 'number';
}

export function getScalar(type, at) {
  const raw = `dv.get${type.access}(${at}${little(type)})`;
  if (type.bool) return `${raw} !== 0`;
  if (type.float) return `${raw} + 0`;
  return type.enumeration ? `${raw} as ${type.enumeration.name}` : raw;
}

export function setScalar(type, at, value) {
  const raw = type.bool ? `${value} ? 1 : 0` : type.float ? `${value} + 0` : value;
  return `dv.set${type.access}(${at}, ${raw}${little(type)});`;
}

const wideMin = { i8: -0x80, i16: -0x8000, i32: -0x80000000, u8: 0, u16: 0, u32: 0 };
const wideMax = { i8: 0x7f, i16: 0x7fff, i32: 0x7fffffff, u8: 0xff, u16: 0xffff, u32: 0xffffffff };

/** Text that is true when a value read from the wire is out of range; '' when none can be. */
export function badOnWire(type, value) {
  if (type.bool) return '';
  if (type.enumeration) return `!is${type.enumeration.name}(${value})`;
  if (type.float) {
    const most = type.base === 'f32' ? F32_MAX : F64_MAX;
    return `!(${value} >= ${type.min ?? `-${most}`} && ${value} <= ${type.max ?? most})`;
  }
  const sides = [];
  if (type.min > wideMin[type.base]) sides.push(`${value} < ${type.min}`);
  if (type.max < wideMax[type.base]) sides.push(`${value} > ${type.max}`);
  return sides.join(' || ');
}

/** Text that is true when `encode` must not take an unknown JavaScript value as it is. */
export function notAccepted(type, value) {
  if (type.bool) return `typeof ${value} !== 'boolean'`;
  const notNumber = `typeof ${value} !== 'number'`;
  if (type.enumeration) return `${notNumber} || !is${type.enumeration.name}(${value})`;
  if (!type.float) {
    const whole =
      type.base === 'u32' ? `${value} >>> 0 !== ${value}` : `(${value} | 0) !== ${value}`;
    const narrow =
      type.base === 'u32'
        ? badOnWire(type, value)
        : [`${value} < ${type.min}`, `${value} > ${type.max}`].join(' || ');
    return [notNumber, whole, narrow].filter((text) => text !== '').join(' || ');
  }
  if (type.base === 'f64') return `${notNumber} || ${badOnWire(type, value)}`;
  if (type.min === undefined && type.max === undefined) {
    return `${notNumber} || !(${value} > -${F32_OVERFLOW} && ${value} < ${F32_OVERFLOW})`;
  }
  return `${notNumber} || ${badOnWire(type, `Math.fround(${value})`)}`;
}

/** Text of the normalised value; `index` is the text of a vector index or ''. */
export function normalizeScalar(type, value, name, index = '') {
  const where = `path, '${name}'${index === '' ? '' : `, ${index}`}`;
  if (type.bool) return `booleanOf(${value}, ${where})`;
  if (type.enumeration) {
    const { name: enumName } = type.enumeration;
    return `enumOf(${value}, is${enumName}, ${where}) as ${enumName}`;
  }
  if (!type.float) return `integerOf(${value}, ${type.min}, ${type.max}, ${where})`;
  const min = type.min ?? '-Infinity';
  return `floatOf(${value}, ${type.base === 'f32'}, ${min}, ${type.max ?? 'Infinity'}, ${where})`;
}
