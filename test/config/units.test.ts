import { describe, expect, test } from 'vitest'
import { durationMs, sizeBytes } from '../../src/config/units.ts'

test('durations are read in ms, s, m, h and d', () => {
  expect(['250ms', '30s', '5m', '24h', '2d', '1.5s', '0s', '10 s'].map(durationMs)).toEqual([
    250, 30_000, 300_000, 86_400_000, 172_800_000, 1500, 0, 10_000,
  ])
})

test('sizes are decimal, and binary when the name says so', () => {
  expect(['512B', '8MB', '1GB', '64MiB', '1.5KiB', '2TB'].map(sizeBytes)).toEqual([
    512, 8e6, 1e9, 67_108_864, 1536, 2e12,
  ])
})

describe('what is no quantity is not guessed at', () => {
  test.each([
    '',
    '30',
    's',
    '-5s',
    '1e3s',
    '5 minutes',
    '5M',
    '١s',
    '30s\n',
    ' 30s',
    '5constructor',
    '9999999999999999s',
    '0x10s',
  ])('%j', (text) => {
    expect([durationMs(text), sizeBytes(text)]).toEqual([undefined, undefined])
  })
})
