import { expect, test } from 'vitest'
import { DiskBudget, type Reservation } from '../../src/runs/disk-budget.ts'

const noInterrupt = new AbortController().signal
const budgetOf = (snapshotsMax: number, snapshotBytesMax = 100): DiskBudget =>
  new DiskBudget({ snapshotsMax, snapshotBytesMax })

/** Reserves one snapshot. */
const reserveOne = (budget: DiskBudget): Promise<Reservation> => budget.reserveSnapshots(1, noInterrupt)

/** Records what was granted, in its order. */
function recordGrants(): {
  readonly granted: string[]
  readonly reserve: (name: string, reservation: Reservation, bytes: number, signal?: AbortSignal) => void
} {
  const granted: string[] = []
  return {
    granted,
    reserve: (name, reservation, bytes, signal = noInterrupt) => {
      const wait = reservation.reserveBytes(bytes, signal)
      if (wait === null) granted.push(name)
      else
        wait.then(
          () => granted.push(name),
          () => granted.push(`not ${name}`),
        )
    },
  }
}
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })

test('so many snapshots are reserved; later ones wait in turn', async () => {
  const budget = budgetOf(2)
  const [a] = await Promise.all([reserveOne(budget), reserveOne(budget)])
  const reserved: string[] = []
  for (const name of ['c', 'd']) void reserveOne(budget).then(() => reserved.push(name))
  await turn()
  expect(reserved).toEqual([])
  a.releaseAll()
  a.releaseAll()
  await turn()
  expect(reserved).toEqual(['c'])
})

test('bytes are granted in turn: small ones do not keep passing a large one by', async () => {
  const budget = budgetOf(9)
  const [a, b, c, d] = (await Promise.all([1, 2, 3, 4].map(() => reserveOne(budget)))) as [
    Reservation,
    Reservation,
    Reservation,
    Reservation,
  ]
  const { granted, reserve } = recordGrants()
  reserve('a', a, 60)
  reserve('b', b, 90)
  reserve('c', c, 30)
  reserve('d', d, 0) // No bytes always fit.
  await turn()
  expect(granted).toEqual(['a', 'd'])
  expect([a.othersBytes, b.othersBytes]).toEqual([0, 60])
  a.releaseAll()
  await turn()
  expect(granted).toEqual(['a', 'd', 'b'])
  b.setBytes(70) // It came to less.
  await turn()
  expect(granted).toEqual(['a', 'd', 'b', 'c'])
})

test('a single snapshot always fits, whatever its size', async () => {
  const budget = budgetOf(9)
  const [a, b] = await Promise.all([reserveOne(budget), reserveOne(budget)])
  const { granted, reserve } = recordGrants()
  reserve('a', a, 1000)
  reserve('b', b, 1)
  await turn()
  expect(granted).toEqual(['a'])
  a.setBytes(0) // Refused: it has nothing on the disk.
  await turn()
  expect(granted).toEqual(['a', 'b'])
})

test('a second attempt keeps its bytes; two that need more do not wait for each other', async () => {
  const budget = budgetOf(9)
  const [a, b] = await Promise.all([reserveOne(budget), reserveOne(budget)])
  const { granted, reserve } = recordGrants()
  reserve('a', a, 50)
  reserve('b', b, 50)
  reserve('a again', a, 40)
  reserve('b more', b, 70)
  await turn()
  expect(granted).toEqual(['a', 'b', 'a again'])
  reserve('a more', a, 60)
  await turn()
  expect(granted).toEqual(['a', 'b', 'a again', 'b more'])
  b.releaseAll()
  await turn()
  expect(granted).toEqual(['a', 'b', 'a again', 'b more', 'a more'])
})

test('an interruption ends every wait, and grants none', async () => {
  const budget = budgetOf(3)
  const interrupt = new AbortController()
  const [a, b, c] = (await Promise.all([1, 2, 3].map(() => reserveOne(budget)))) as [
    Reservation,
    Reservation,
    Reservation,
  ]
  const { granted, reserve } = recordGrants()
  reserve('a', a, 60)
  reserve('b', b, 90, interrupt.signal)
  reserve('c', c, 10, interrupt.signal)
  const waiting = budget.reserveSnapshots(1, interrupt.signal)
  interrupt.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  expect(() => c.reserveBytes(10, interrupt.signal)).toThrow('enough')
  await turn()
  expect(granted).toEqual(['a', 'not b', 'not c'])
  a.releaseAll()
  await expect(reserveOne(budget)).resolves.toBeDefined()
})

test('snapshots of one tenant are reserved together, released one by one, and always fit alone', async () => {
  const budget = budgetOf(4)
  const many = await budget.reserveSnapshots(5, noInterrupt)
  many.setBytes(60)
  const reserved: Reservation[] = []
  for (const snapshots of [2, 1])
    void budget.reserveSnapshots(snapshots, noInterrupt).then((reservation) => reserved.push(reservation))
  many.releaseSnapshot(10)
  many.releaseSnapshot(20)
  await turn()
  expect(reserved.length).toBe(0) // Three are still there: two more would be five.
  many.releaseSnapshot(5)
  await turn()
  expect(reserved.map(({ othersBytes }) => othersBytes)).toEqual([25])
  many.releaseSnapshot(25)
  await turn()
  expect(reserved.map(({ othersBytes }) => othersBytes)).toEqual([0, 0])
  many.releaseSnapshot(0)
  many.releaseSnapshot(0)
  many.releaseAll()
  reserved[0]?.releaseAll()
  const next = await budget.reserveSnapshots(3, noInterrupt)
  expect(next.othersBytes).toBe(0)
})

test('bytes beside a snapshot are counted until they are given back, and never waited for', async () => {
  const budget = budgetOf(9)
  const [a, b] = await Promise.all([reserveOne(budget), reserveOne(budget)])
  const { granted, reserve } = recordGrants()
  reserve('a', a, 40)
  reserve('b', b, 30)
  expect(a.addBytes(31)).toBeNull()
  const beside = a.addBytes(30)
  expect([a.othersBytes, b.othersBytes]).toEqual([30, 70])
  reserve('more for b', b, 31)
  await turn()
  expect(granted).toEqual(['a', 'b'])
  beside?.[Symbol.dispose]()
  await turn()
  expect(granted).toEqual(['a', 'b', 'more for b'])
})

test('bytes beside the only snapshot always fit: the free space itself is looked at then', async () => {
  const a = await reserveOne(budgetOf(9))
  a.setBytes(60)
  using beside = a.addBytes(180)
  expect(beside).not.toBeNull()
  expect(a.othersBytes).toBe(0)
})
