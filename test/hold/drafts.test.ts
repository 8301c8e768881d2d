/** Drafts and snapshots in a folder that runs of several services share. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { clearDrafts, draftName } from '../../src/hold/draft.ts'
import { startTimeOf } from '../../src/host/processes.ts'
import { startProgram } from '../support/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'drafts-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('what a run that was killed left is deleted; what another that still runs has, and whatever else lies there, stays', async () => {
  const lay = (name: string): string => {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'snapshot.db'), 'a draft')
    return name
  }
  await using other = startProgram('sleep', ['60'])
  const ofOther = ['7', '8.partial', 'compared-1'].map((rest) => lay(`hold-${other.pid}-${startTimeOf(other.pid)}-${rest}`))
  const stay = [lay(`${draftName(3)}.partial`), lay(draftName('compared-2')), lay('hold-acme'), lay('other.partial'), lay(`hold-${process.pid}-1-2-copy of it`)]
  lay(`hold-${process.pid}-1-4.partial`) // Of a process that had our pid before us.
  await clearDrafts(folder)
  expect(readdirSync(folder).toSorted()).toEqual([...stay, ...ofOther].toSorted())
  other.kill('SIGKILL')
  await other.ended
  await clearDrafts(folder)
  expect(readdirSync(folder).toSorted()).toEqual(stay.toSorted())
})
