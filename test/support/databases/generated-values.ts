/** Arbitrary values of columns. Many are values that SQLite, JavaScript or the census treat in a special way. */

import * as fc from 'fast-check'

export type GeneratedValue = null | bigint | number | string | Uint8Array

const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'a',
      'A',
      'b',
      'B ',
      'b',
      'abc',
      'ABC',
      'abc  ',
      '',
      ' ',
      'zebra',
      'Ångström',
      '日本',
      '😀 smile',
      '\u{10ffff}',
      '\uffee',
      'nul\0inside',
      'nul\0Inside',
    ),
  },
  { weight: 2, arbitrary: fc.string({ maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 50, max: 3000 })
      .map((length) => 'long '.repeat(Math.ceil(length / 5)).slice(0, length)),
  },
)
const integer = fc.oneof(
  fc.integer({ min: -300, max: 300 }).map(BigInt),
  fc.constantFrom(
    0n,
    1n,
    -1n,
    127n,
    128n,
    32_767n,
    32_768n,
    8_388_608n,
    2_147_483_648n,
    -2_147_483_649n,
    140_737_488_355_328n,
    9_007_199_254_740_993n,
    9_223_372_036_854_775_807n,
    -9_223_372_036_854_775_808n,
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
)
const real = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.5,
    1e10,
    1e18,
    2 ** 53,
    1.7976931348623157e308,
    5e-324,
    -1e300,
    2 ** 63,
    -(2 ** 63),
    140737488355328,
    1e15 + 0.5,
    NaN,
    Infinity,
    -Infinity,
  ),
  fc.double(),
)
const blob = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.integer({ min: 100, max: 2500 }).map((length) => new Uint8Array(length).fill(length & 255)),
)
export const generatedValue: fc.Arbitrary<GeneratedValue> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: integer },
  { weight: 3, arbitrary: real },
  { weight: 4, arbitrary: text },
  { weight: 1, arbitrary: blob },
)
