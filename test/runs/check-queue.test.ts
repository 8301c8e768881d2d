import { expect, test } from 'vitest'
import { CheckQueue } from '../../src/runs/check-queue.ts'

const small = 1_000_000
const large = 500_000_000

/** A queue whose checks end when they are told to. */
function startQueue(atOnceMax: number): {
  readonly add: (name: string, bytes: number) => void
  readonly end: (name: string) => Promise<void>
  readonly reading: string[]
} {
  const queue = new CheckQueue(atOnceMax)
  const reading: string[] = []
  const ends = new Map<string, () => void>()
  return {
    reading,
    add: (name, bytes) =>
      void queue.add(bytes, async () => {
        reading.push(name)
        await new Promise<void>((resolve) => {
          ends.set(name, resolve)
        })
        reading.splice(reading.indexOf(name), 1)
      }),
    end: async (name) => {
      ends.get(name)?.()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

test('small snapshots are read one by one in their order while no more than two wait', async () => {
  const { add, end, reading } = startQueue(4)
  for (const name of ['a', 'b', 'c']) add(name, small)
  expect(reading).toEqual(['a'])
  await end('a')
  expect(reading).toEqual(['b'])
  add('d', small)
  expect(reading).toEqual(['b'])
})

test('if more wait, as many are checked as the limit allows; one again when none waits', async () => {
  const { add, end, reading } = startQueue(2)
  for (const name of ['a', 'b', 'c', 'd']) add(name, small)
  expect(reading).toEqual(['a', 'b'])
  for (const name of ['a', 'b', 'c', 'd']) await end(name)
  add('e', small)
  add('f', small)
  add('g', small)
  expect(reading).toEqual(['e'])
})

test('no snapshot waits for a large one, nor a large one for others, below the limit', async () => {
  const { add, end, reading } = startQueue(3)
  add('a', small)
  add('huge', large)
  add('b', small)
  expect(reading).toEqual(['a', 'huge', 'b'])
  add('c', small)
  expect(reading).not.toContain('c')
  await end('a')
  expect(reading).toContain('c')
})

test('one at a time is one at a time', () => {
  const { add, reading } = startQueue(1)
  for (const name of ['a', 'b', 'c', 'd', 'e']) add(name, small)
  add('huge', large)
  expect(reading).toEqual(['a'])
})
