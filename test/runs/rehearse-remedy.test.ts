/** The copies of a rehearsal are counted while they exist. Without room it is not tried, and the report says so. */
import { statSync } from 'node:fs'
import { beforeEach, expect, test } from 'vitest'
import { keptFile } from '../../src/model/kept-file.ts'
import type { Result } from '../../src/model/result/report.ts'
import { rehearseRemedy, type RehearsalTerms } from '../../src/runs/remedies/rehearse-remedy.ts'
import { damageIndex, makeDatabase } from '../support/cli/folder.ts'
import { useRehearsals } from '../support/remedies/rehearsal-fixture.ts'

const place = useRehearsals()
beforeEach(() => damageIndex(makeDatabase(place.path)))

const damaged = {
  verdict: 'damaged',
  depth: 'full',
  remedy: { do: 'rebuild', why: 'its table is whole', indexes: ['notes_title'], rehearsed: false, command: null },
} as unknown as Result

async function rehearse(reserve: NonNullable<RehearsalTerms['reserve']>): Promise<Result['remedy']> {
  const settled = await place.settle()
  const kept = new Map([['', keptFile(statSync(place.path, { bigint: true }))]] as const)
  const terms = { rehearsals: place.rehearsals, bytesMax: null, reserve }
  return (await rehearseRemedy(damaged, { ...settled, kept }, terms, new AbortController().signal)).remedy
}

test('so many bytes are reserved as the copies may take, and given back', async () => {
  const said: (number | string)[] = []
  const remedy = await rehearse((bytes) => {
    said.push(bytes)
    return { [Symbol.dispose]: () => void said.push('given back') }
  })
  expect(remedy.rehearsed).toBe(true)
  expect(said).toEqual([3 * statSync(place.path).size, 'given back'])
  expect(place.leftovers()).toEqual([])
})

test('no room beside other snapshots: not rehearsed, and the report says why', async () => {
  const remedy = await rehearse(() => null)
  expect(remedy).toMatchObject({ do: 'rebuild', rehearsed: false })
  expect(remedy.why).toMatch(
    /^its table is whole; it was not rehearsed: its copies may need .*, and the other snapshots/,
  )
})
