/** A program that opens the file again and again while it is changed: not one of its acknowledged rows is lost. */
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RetakenSnapshot } from '../../../src/hold/change/change-types.ts'
import type { NonEmpty } from '../../../src/model/result/verdict.ts'
import { changeFlow } from '../../support/hold/change-flow.ts'
import { bytesInState, contentOf, rehearse, writeSet } from '../../support/hold/changes.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { repository } from '../../support/processes.ts'

describe('while a file is changed', () => {
  let fixture: HoldFixture
  beforeAll(async () => {
    fixture = await openHoldFixture()
  })
  afterAll(() => fixture[Symbol.asyncDispose]())

  it.each([
    ['wal-empty', 'swap'],
    ['delete', 'swap'],
    ['delete', 'in-place'],
  ] as const)('a program that writes now and then loses nothing (%s, %s)', async (state, method) => {
    const folder = join(fixture.home, `${state}-${method}`)
    mkdirSync(folder)
    const file = join(folder, 'app.db')
    writeSet(file, bytesInState(state, 200))
    const writer = spawn(process.execPath, ['test/support/programs/row-writer.ts', file, '120'], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let acknowledged = ''
    let refused = ''
    writer.stdout.on('data', (bytes: Buffer) => (acknowledged += String(bytes)))
    writer.stderr.on('data', (bytes: Buffer) => (refused += String(bytes)))
    const outcomes: string[] = []
    try {
      const sql = "update t set v = v || '+' where id = 1"
      const remake = {
        ms: 20,
        work: ([taken]: NonEmpty<RetakenSnapshot>) => Promise.resolve([rehearse(taken.snapshot.path, sql)] as const),
      }
      // The program is in the way of most attempts on a slow machine: go on until one gets through.
      for (let attempt = 0; attempt < 15 || (attempt < 150 && !outcomes.includes('applied')); attempt++) {
        const place = { kind: 'quarantine', folder: join(folder, 'quarantine') } as const
        const common = { connection: null, processes: fixture.processes, folder: fixture.folder, place, method, remake }
        const done = await changeFlow({ ...common, files: [file], mend: (one) => rehearse(one, sql) }).then(
          ({ outcome }) => (outcome.kind === 'unchanged' ? outcome.failure.code : outcome.kind),
          (error: unknown) => (error as { readonly code: string }).code,
        )
        outcomes.push(done)
        rmSync(place.folder, { recursive: true, force: true })
      }
    } finally {
      writer.kill('SIGTERM')
      await new Promise((resolve) => writer.once('close', resolve))
    }
    const about = `${[...new Set(outcomes)].join(', ')}; ${refused.slice(0, 300)}`
    expect(outcomes.filter((outcome) => outcome === 'applied').length, about).toBeGreaterThan(0)
    expect(
      outcomes.filter(
        (outcome) =>
          !['applied', 'IN_USE', 'LOCK_BUSY', 'REMEDY_STALE', 'WRITER_SEEN', 'COPY_CHANGED'].includes(outcome),
      ),
      about,
    ).toEqual([])
    const content = contentOf(file)
    expect(content.startsWith('ok '), about).toBe(true)
    const ids = acknowledged.split('\n').filter((id) => id !== '')
    expect(ids.length).toBeGreaterThan(3)
    expect(
      ids.filter((id) => !content.includes(`{"id":${id},`)),
      about,
    ).toEqual([])
  })
})
