/** What an agent remembers of its fences: a database that has forgotten some is found out, and no other one. */
import { expect, test } from 'vitest'
import { FenceMemory } from '../../../src/fleet/pause/fence-memory.ts'
import type { TakenSlot } from '../../../src/fleet/pause/slot-permit.ts'

const taken = (fences: readonly number[], generation = 1, epoch = 'here'): TakenSlot => ({
  epoch,
  generation,
  rows: fences.map((fence, slot) => ({ scope: 'fleet', slot, fence: String(fence) })),
})

/** A memory that has seen the fences 5 and 6, and what it says of the next answer. */
function after(next: TakenSlot, seen: TakenSlot = taken([5, 6])): boolean {
  const memory = new FenceMemory()
  expect(memory.accept(seen, memory.mark())).toBe(true)
  return memory.accept(next, memory.mark())
}

test('fences that grow are accepted, and all fences of a later generation or of another database', () => {
  expect(after(taken([7, 8]))).toBe(true)
  expect(after(taken([1, 2], 2))).toBe(true)
  expect(after(taken([1, 2], 1, 'elsewhere'))).toBe(true)
  expect(after(taken([1, 2], 1, 'elsewhere'), taken([5], 4))).toBe(true)
})

test.each([
  ['a lower fence', taken([4])],
  ['one lower fence of two', taken([4, 9])],
  ['the same fence again', taken([6])],
  ['an earlier generation', taken([7], 0)],
])('%s shows that the database was rolled back', (_, next) => {
  expect(after(next)).toBe(false)
})

test('answers to questions that cross may come in any order, and the highest fence stays known', () => {
  const memory = new FenceMemory()
  const [first, second] = [memory.mark(), memory.mark()]
  expect(memory.accept(taken([7], 3), second)).toBe(true)
  expect(memory.accept(taken([3], 3), first)).toBe(true)
  expect(memory.generation).toBe(3)
  expect(memory.accept(taken([5], 3), memory.mark())).toBe(false)
})
