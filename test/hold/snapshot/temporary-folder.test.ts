/** Private folders of runs, beside those of other runs. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { openSnapshotFolder } from '../../../src/hold/snapshot/temporary-folder.ts'
import { eventually, repository, startNode, startProgram, type Program } from '../../support/processes.ts'

const top = mkdtempSync(join(tmpdir(), 'snapshot-folder-'))
afterAll(() => rmSync(top, { recursive: true }))
let parent = ''
beforeEach(() => {
  parent = mkdtempSync(join(top, 'parent-'))
})

/** A run of another process, by the name of its folder. */
async function otherRun(): Promise<Program & { readonly folder: string }> {
  const program = startNode('test/support/programs/folder-owner.ts', [parent])
  const { path } = await program.ready
  return { ...program, folder: String(path) }
}

async function openedAndClosed(): Promise<void> {
  await using folder = await openSnapshotFolder(parent, null)
  expect(statSync(folder.path).mode & 0o777).toBe(0o700)
}

test('the folder of a killed run is deleted, however deep; that of a living run stays', async () => {
  await using living = await otherRun()
  await using killed = await otherRun()
  mkdirSync(join(killed.folder, 'hold-7.partial'))
  writeFileSync(join(killed.folder, 'hold-7.partial', 'snapshot.db'), 'a draft')
  mkdirSync(join(killed.folder, `room/${'deep/'.repeat(200)}`), { recursive: true })
  await openedAndClosed()
  expect(readdirSync(parent)).toHaveLength(2)
  killed.kill('SIGKILL')
  await killed.ended
  await openedAndClosed()
  expect(readdirSync(parent).map((name) => join(parent, name))).toEqual([living.folder])
})

test('the folder of a frozen run stays', async () => {
  await using frozen = await otherRun()
  frozen.kill('SIGSTOP')
  await openedAndClosed()
  expect(readdirSync(parent)).toHaveLength(1)
})

test('a folder that no run has made stays, whatever its name', async () => {
  await using killed = await otherRun()
  killed.kill('SIGKILL')
  await killed.ended
  const lay = (name: string, owner: string | null): void => {
    mkdirSync(join(parent, name), { mode: 0o700 })
    if (owner !== null) writeFileSync(join(parent, name, 'owner'), owner)
  }
  lay('holdfast-without-owner', null)
  lay('holdfast-empty-owner', '')
  lay('holdfast-of-another-program', '999999-1')
  lay('holdfast-no-mark', '{"schema":"something/1","locked":true,"pid":1}')
  lay('holdfast-null', 'null')
  writeFileSync(join(parent, 'holdfast-file'), '')
  renameSync(killed.folder, join(parent, 'renamed'))
  const before = readdirSync(parent).toSorted()
  await openedAndClosed()
  expect(readdirSync(parent).toSorted()).toEqual(before)
})

test('a run deletes its own folder, whatever is in it by then', async () => {
  {
    await using folder = await openSnapshotFolder(parent, null)
    mkdirSync(join(folder.path, 'a/b/c'), { recursive: true })
    writeFileSync(join(folder.path, 'a/b/c/file'), '')
  }
  expect(readdirSync(parent)).toEqual([])
})

const ofOtherNamespace = ['--pid', '--fork', '--kill-child', '--mount-proc']
const hasNamespaces = process.getuid?.() === 0 && spawnSync('unshare', [...ofOtherNamespace, 'true']).status === 0

test.skipIf(!hasNamespaces)(
  'a run in another pid namespace lives, although its pid means nothing here; once ' +
    'it was killed, what it left goes (skipped without namespaces)',
  async () => {
    const program = [process.execPath, `${repository}test/support/programs/folder-owner.ts`, parent]
    await using other = startProgram('unshare', [...ofOtherNamespace, ...program])
    await other.ready
    await openedAndClosed()
    expect(readdirSync(parent)).toHaveLength(1)
    await expect(runIn(program)).resolves.toBe(0) // A run there clears away nothing of one here either.
    expect(readdirSync(parent)).toHaveLength(1)
    other.kill('SIGKILL')
    await other.ended
    await eventually('what it left is deleted', async () => {
      await openedAndClosed()
      return readdirSync(parent).length === 0
    })
  },
)

/** Runs it in one more namespace, with nothing on its input. */
const runIn = (program: readonly string[]): Promise<number | null> =>
  new Promise((resolve, reject) => {
    spawn('unshare', [...ofOtherNamespace, ...program], { stdio: 'ignore' })
      .once('error', reject)
      .once('exit', resolve)
  })
