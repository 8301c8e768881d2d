/** Pinned snapshots share the disk with others: they wait for space with nothing open, and reserve what they use. */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { unbounded, type HoldBounds } from '../../../src/hold/hold.ts'
import { pathOf } from '../../../src/host/files/descriptor.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { createBook, pinOptions, readBook, soundBook } from '../../support/pinned/pinned-files.ts'
import { startSqliteProgram } from '../../support/pinned/sqlite-program.ts'

let fixture: HoldFixture
let folder: ReturnType<typeof temporaryFolder>
beforeAll(async () => {
  fixture = await openHoldFixture()
})
afterAll(() => fixture[Symbol.asyncDispose]())
beforeEach(() => {
  folder = temporaryFolder()
  return () => folder[Symbol.dispose]()
})
const open = async (name: string): Promise<Awaited<ReturnType<typeof startSqliteProgram>> & { file: string }> => {
  const file = folder.file(name)
  createBook(file, 'wal')
  const program = await startSqliteProgram('node', file)
  program.run('update book set title = title')
  return Object.assign(program, { file })
}

/** Live files that this process has open. */
const openHere = (): readonly string[] =>
  readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      const path = pathOf(Number(number))
      return path.startsWith(folder.path) ? [path] : []
    } catch {
      return [] // The descriptor of the listing itself is closed again.
    }
  })

it('waits for space with no live file open, and begins anew', async () => {
  await using program = await open('book.db')
  const meanwhile: string[] = []
  let asked = 0
  const reserve: HoldBounds['reserve'] = () => {
    if (asked++ > 0) return null
    return new Promise((resolve) => setTimeout(resolve, 100)).then(() => void meanwhile.push(...openHere()))
  }
  const held = await fixture.holdBare(program.file, { ...pinOptions({}), bounds: { ...unbounded, reserve } })
  if (held.kind !== 'snapshot') throw held.failure
  await using snapshot = held.snapshot
  expect(readBook(snapshot.path)).toEqual(soundBook(3))
  expect([asked, meanwhile, held.record.evidence.attempts]).toEqual([2, [], 1])
  expect(openHere()).toEqual([])
})

it('reserves the sum of all files of a tenant, each of which has its own pin', async () => {
  await using one = await open('one.db')
  await using two = await open('two.db')
  const reserved: number[] = []
  const reserve: HoldBounds['reserve'] = (bytes) => (reserved.push(bytes), null)
  const options = { ...pinOptions({}), bounds: { ...unbounded, reserve } }
  const held = await fixture.holdAll([one.file, two.file, two.file], null, options)
  const [first, second, again] = held
  if (first?.kind !== 'snapshot' || second?.kind !== 'snapshot') throw new Error('no snapshot')
  await using _first = first.snapshot
  await using _second = second.snapshot
  expect(again).toMatchObject({ kind: 'refused', failure: { code: 'MANY_NAMES' } })
  expect(reserved).toHaveLength(2)
  expect(reserved[1]).toBeGreaterThan((reserved[0] ?? 0) * 1.5)
})
