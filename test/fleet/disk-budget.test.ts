import { expect, test } from 'vitest'
import { DiskBudget, type Reservation } from '../../src/fleet/disk-budget.ts'

const forever = new AbortController().signal
const roomOf = (snapshotsMax: number, snapshotBytesMax = 100): DiskBudget =>
  new DiskBudget({ snapshotsMax, snapshotBytesMax })

/** What was granted, in its order. */
function watching(): {
  readonly granted: string[]
  readonly reserve: (name: string, place: Reservation, bytes: number, signal?: AbortSignal) => void
} {
  const granted: string[] = []
  return {
    granted,
    reserve: (name, place, bytes, signal = forever) => {
      const room = place.reserve(bytes, signal)
      if (room === null) granted.push(name)
      else
        room.then(
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

test('so many may enter; who waits does so in turn', async () => {
  const room = roomOf(2)
  const [a] = await Promise.all([room.enter(forever), room.enter(forever)])
  const entered: string[] = []
  for (const name of ['c', 'd']) void room.enter(forever).then(() => entered.push(name))
  await turn()
  expect(entered).toEqual([])
  a.leave()
  a.leave()
  await turn()
  expect(entered).toEqual(['c'])
})

test('bytes are granted in turn: small ones do not keep passing a large one by', async () => {
  const room = roomOf(9)
  const [a, b, c, d] = (await Promise.all([1, 2, 3, 4].map(() => room.enter(forever)))) as [
    Reservation,
    Reservation,
    Reservation,
    Reservation,
  ]
  const { granted, reserve } = watching()
  reserve('a', a, 60)
  reserve('b', b, 90)
  reserve('c', c, 30)
  reserve('d', d, 0) // Takes no room.
  await turn()
  expect(granted).toEqual(['a', 'd'])
  expect([a.othersBytes, b.othersBytes]).toEqual([0, 60])
  a.leave()
  await turn()
  expect(granted).toEqual(['a', 'd', 'b'])
  b.fill(70) // It came to less.
  await turn()
  expect(granted).toEqual(['a', 'd', 'b', 'c'])
})

test('a single one always fits, whatever its size', async () => {
  const room = roomOf(9)
  const [a, b] = await Promise.all([room.enter(forever), room.enter(forever)])
  const { granted, reserve } = watching()
  reserve('a', a, 1000)
  reserve('b', b, 1)
  await turn()
  expect(granted).toEqual(['a'])
  a.fill(0) // Refused: it has nothing on the disk.
  await turn()
  expect(granted).toEqual(['a', 'b'])
})

test('who tries again keeps what it has; two that need more do not wait for each other', async () => {
  const room = roomOf(9)
  const [a, b] = await Promise.all([room.enter(forever), room.enter(forever)])
  const { granted, reserve } = watching()
  reserve('a', a, 50)
  reserve('b', b, 50)
  reserve('a again', a, 40)
  reserve('b more', b, 70)
  await turn()
  expect(granted).toEqual(['a', 'b', 'a again'])
  reserve('a more', a, 60)
  await turn()
  expect(granted).toEqual(['a', 'b', 'a again', 'b more'])
  b.leave()
  await turn()
  expect(granted).toEqual(['a', 'b', 'a again', 'b more', 'a more'])
})

test('an interruption ends every wait, and grants none', async () => {
  const room = roomOf(3)
  const interrupt = new AbortController()
  const [a, b, c] = (await Promise.all([1, 2, 3].map(() => room.enter(forever)))) as [
    Reservation,
    Reservation,
    Reservation,
  ]
  const { granted, reserve } = watching()
  reserve('a', a, 60)
  reserve('b', b, 90, interrupt.signal)
  reserve('c', c, 10, interrupt.signal)
  const entering = room.enter(interrupt.signal)
  interrupt.abort(new Error('enough'))
  await expect(entering).rejects.toThrow('enough')
  expect(() => c.reserve(10, interrupt.signal)).toThrow('enough')
  await turn()
  expect(granted).toEqual(['a', 'not b', 'not c'])
  a.leave()
  await expect(room.enter(forever)).resolves.toBeDefined()
})

test(
  'several snapshots of one tenant enter together, leave one by one, and ' +
    'fit when there is no other, however many they are',
  async () => {
    const room = roomOf(4)
    const many = await room.enter(forever, 5)
    many.fill(60)
    const entered: Reservation[] = []
    for (const snapshots of [2, 1]) void room.enter(forever, snapshots).then((place) => entered.push(place))
    many.release(10)
    many.release(20)
    await turn()
    expect(entered.length).toBe(0) // Three are still there: two more would be five.
    many.release(5)
    await turn()
    expect(entered.map(({ othersBytes }) => othersBytes)).toEqual([25])
    many.release(25)
    await turn()
    expect(entered.map(({ othersBytes }) => othersBytes)).toEqual([0, 0])
    many.release(0)
    many.release(0)
    many.leave()
    entered[0]?.leave()
    const next = await room.enter(forever, 3)
    expect(next.othersBytes).toBe(0)
  },
)
