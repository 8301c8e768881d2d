/** Remedies that would be wrong are refused, each with its own code, and change nothing. */
import { copyFileSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { readManifest, writeManifest } from '../../../src/backup/manifest.ts'
import { fingerprintOf, makeDatabase, makeFolder, damageIndex, type Folder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { mount, whyNoMount, whySkipped } from '../../support/host/mounts.ts'
import { hideFromIndex, zeroLeaf } from '../../support/remedies/object-wounds.ts'
import { shortRemedy, onlyResult, runRemedy } from '../../support/remedies/remedy-run.ts'
import { varied } from '../../support/remedies/subjects.ts'

const bothWays = [
  ['a plan', []],
  ['--apply', ['--apply']],
] as const

describe('repair is refused', () => {
  it.each(bothWays)('if rows violate the UNIQUE index that it would rebuild: REMEDY_REFUSED (%s)', async (_, more) => {
    using folder = makeFolder()
    const path = folder.in('app.db')
    varied(1024).create(path)
    hideFromIndex('events', 'events_note', 'note')(path)
    const before = fingerprintOf(folder.path)
    const run = await runRemedy(['repair', path, ...more])
    expect(onlyResult(run).failure?.code, shortRemedy(onlyResult(run))).toBe('REMEDY_REFUSED')
    expect(onlyResult(run)).toMatchObject({ applied: null, before: { verdict: 'damaged' } })
    expect(run.code).toBe(2)
    expect(fingerprintOf(folder.path)).toEqual(before)
  })

  it.each(bothWays)('while a program has the file open: IN_USE, exit code 75 (%s)', async (_, more) => {
    using folder = makeFolder()
    const path = damaged(folder)
    const user = new Database(path)
    try {
      user.pragma('user_version') // Opens the file.
      const run = await runRemedy(['repair', path, ...more])
      expect(onlyResult(run).failure?.code).toBe('IN_USE')
      expect(onlyResult(run).applied).toBeNull()
      expect(run.code).toBe(75)
    } finally {
      user.close()
    }
    expect(namesOf(folder)).toEqual(['app.db'])
  })

  const why = whyNoMount('tmpfs')
  it.skipIf(why !== null)(`without room for the original: NO_SPACE${whySkipped(why)}`, async () => {
    using small = mount('tmpfs', 3_000_000)
    using folder = makeFolder()
    const path = join(small.path, 'app.db')
    makeDatabase(path, { rows: 15_000 })
    damageIndex(path)
    expect(readFileSync(path).length).toBeGreaterThan(1_500_000)
    const before = fingerprintOf(small.path)
    const run = await runRemedy(['repair', path, '--apply', '--snapshots', folder.path])
    expect(onlyResult(run).failure?.code, shortRemedy(onlyResult(run))).toBe('NO_SPACE')
    expect(onlyResult(run).applied).toBeNull()
    expect(run.code).toBe(1)
    expect(fingerprintOf(small.path)).toEqual(before)
  })

  it('if only a restore helps: it prints that command and ends with 2', async () => {
    using folder = makeFolder()
    const path = folder.in('app.db')
    varied(1024).create(path)
    await addBackup(folder, path)
    zeroLeaf('events')(path)
    const bytes = readFileSync(path)
    const run = await runRemedy(['repair', path, '--apply', '--backups', folder.in('backups')])
    const { plan, applied } = onlyResult(run)
    expect(plan.do).toBe('restore')
    expect(plan.command).toMatch(/^holdfast restore /)
    expect(applied).toBeNull()
    expect(run.code).toBe(2)
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })
})

describe('repair does nothing', () => {
  it.each(bothWays)('to a sound file: exit code 0, not a byte is changed (%s)', async (_, more) => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'), { wal: true })
    const before = fingerprintOf(folder.path)
    const run = await runRemedy(['repair', path, ...more])
    expect(onlyResult(run)).toMatchObject({ plan: { do: 'nothing' }, applied: null, failure: null })
    expect(run.summary).toMatchObject({ nothing: 1, exitCode: 0 })
    expect(fingerprintOf(folder.path)).toEqual(before)
  })

  it('to what is no database: exit code 3', async () => {
    using folder = makeFolder()
    writeFileSync(folder.in('app.db'), 'no database at all, but text of some length '.repeat(300))
    const run = await runRemedy(['repair', folder.in('app.db'), '--apply'])
    expect(onlyResult(run).applied).toBeNull()
    expect(run.code).toBe(3)
  })
})

describe('undo', () => {
  it('is refused once the file was written after the change: REMEDY_STALE, exit code 3, nothing is lost', async () => {
    using folder = makeFolder()
    const path = damaged(folder)
    const applied = onlyResult(await runRemedy(['repair', path, '--apply']))
    expect(shortRemedy(applied)).toBe('rebuild, rehearsed sound, applied sound')
    const writer = new Database(path)
    writer.exec("INSERT INTO notes(title) VALUES('written after the change')")
    writer.close()
    // The record of the change may note the attempt.
    const databases = (): Record<string, string> =>
      Object.fromEntries(Object.entries(fingerprintOf(folder.path)).filter(([name]) => !name.endsWith('.json')))
    const before = databases()
    const run = await runRemedy(['repair', path, '--undo', applied.applied?.change ?? ''])
    const { failure, plan, before: seen } = onlyResult(run)
    expect([failure?.code, seen.verdict]).toEqual(['REMEDY_STALE', 'inconclusive'])
    expect(plan.command).toBe(`holdfast compare ${path} ${applied.applied?.original}`)
    expect(run.code).toBe(3)
    expect(databases()).toEqual(before)
    const compared = await holdfast((plan.command ?? '').split(' ').slice(1))
    expect([compared.code, compared.stdout.includes('notes')], compared.stderr).toEqual([2, true])
  })

  it('of a change that is not known is an error of usage, exit code 64', async () => {
    using folder = makeFolder()
    const { code } = await holdfast(['repair', damaged(folder), '--undo', '01J00000000000000000000000'])
    expect(code).toBe(64)
  })
})

describe('restore is refused', () => {
  const wounds = {
    'its stored bytes have changed': (file: string) => {
      const bytes = readFileSync(file)
      for (let at = bytes.length >> 1; at < (bytes.length >> 1) + 64; at++) bytes[at] = (bytes[at] ?? 0) ^ 0xff
      writeFileSync(file, bytes)
    },
    'half of it is missing': (file: string) => {
      const bytes = readFileSync(file)
      writeFileSync(file, bytes.subarray(0, bytes.length >> 1))
    },
  } as const
  it.each(Object.entries(wounds))('from a backup if %s: BACKUP_BROKEN', async (_, wound) => {
    using folder = makeFolder()
    const path = folder.in('app.db')
    varied(1024).create(path)
    const id = await addBackup(folder, path)
    const [stored] = globSync('**/*.zst', { cwd: folder.in('backups') })
    wound(join(folder.in('backups'), stored ?? ''))
    zeroLeaf('events')(path)
    const bytes = readFileSync(path)
    const run = await runRemedy(['restore', path, '--from', id, '--apply', '--backups', folder.in('backups')])
    expect(onlyResult(run).failure?.code, shortRemedy(onlyResult(run))).toBe('BACKUP_BROKEN')
    expect(onlyResult(run).applied).toBeNull()
    expect(run.code).toBe(2)
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  it('from a file that is itself damaged: BACKUP_BROKEN', async () => {
    using folder = makeFolder()
    const path = folder.in('app.db')
    varied(1024).create(path)
    zeroLeaf('events')(path)
    copyFileSync(path, folder.in('copy.db'))
    const run = await runRemedy(['restore', path, '--from', folder.in('copy.db'), '--apply'])
    expect(onlyResult(run).failure?.code).toBe('BACKUP_BROKEN')
    expect(run.code).toBe(2)
  })

  it('from a backup that was never verified, also if none is named', async () => {
    using folder = makeFolder()
    const path = folder.in('app.db')
    varied(1024).create(path)
    const id = await addBackup(folder, path)
    const [manifest = ''] = globSync(`**/${id}*.json`, { cwd: folder.in('backups') })
    const kept = join(folder.in('backups'), dirname(manifest))
    const read = await readManifest(kept, id)
    if (read.kind !== 'read') throw new Error(read.kind)
    await writeManifest(kept, { ...read.manifest, verifiedAt: null })
    zeroLeaf('events')(path)
    const before = fingerprintOf(folder.path)
    const args = ['restore', path, '--backups', folder.in('backups'), '--apply']
    const named = await runRemedy([...args, '--from', id])
    expect(onlyResult(named).failure).toMatchObject({
      code: 'BACKUP_BROKEN',
      message: expect.stringContaining('it was never verified') as string,
      hint: expect.stringContaining('`holdfast backups verify`') as string,
    })
    const any = await runRemedy(args)
    expect([onlyResult(any).failure?.code, named.code, any.code]).toEqual(['BACKUP_UNKNOWN', 2, 2])
    expect(fingerprintOf(folder.path)).toEqual(before)
    await holdfast(['backups', 'verify', '--backups', folder.in('backups')])
    expect(shortRemedy(onlyResult(await runRemedy(args)))).toBe('restore, rehearsed sound, applied sound')
  })

  it('from a backup of an unknown id: BACKUP_UNKNOWN, exit code 64', async () => {
    using folder = makeFolder()
    const path = folder.in('app.db')
    varied(1024).create(path)
    await addBackup(folder, path)
    zeroLeaf('events')(path)
    const args = ['restore', path, '--from', '01J00000000000000000000000', '--backups', folder.in('backups'), '--apply']
    const ran = await holdfast([...args, '--json'])
    expect(ran.stdout + ran.stderr).toMatch(/BACKUP_UNKNOWN/)
    expect(ran.code).toBe(64)
  })

  it('if there is no backup at all: damage remains, exit code 2', async () => {
    using folder = makeFolder()
    const path = folder.in('app.db')
    varied(1024).create(path)
    zeroLeaf('events')(path)
    const run = await runRemedy(['restore', path, '--backups', folder.in('backups'), '--apply'])
    expect([onlyResult(run).failure?.code, onlyResult(run).applied, run.code]).toEqual(['BACKUP_UNKNOWN', null, 2])
  })

  it('for a sound file without --from and --before: exit code 64', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'))
    await addBackup(folder, path)
    const { code } = await holdfast(['restore', path, '--backups', folder.in('backups')])
    expect(code).toBe(64)
  })
})

describe('salvage is refused', () => {
  it('if the new file exists: exit code 64, and it stays as it is', async () => {
    using folder = makeFolder()
    const path = damaged(folder)
    writeFileSync(folder.in('new.db'), 'something else')
    const { code } = await holdfast(['salvage', path, '--to', folder.in('new.db')])
    expect(code).toBe(64)
    expect(readFileSync(folder.in('new.db'), 'utf8')).toBe('something else')
  })

  it('while a program has the file open: exit code 75, no new file', async () => {
    using folder = makeFolder()
    const path = damaged(folder)
    const user = new Database(path)
    try {
      user.pragma('user_version')
      expect((await holdfast(['salvage', path, '--to', folder.in('new.db')])).code).toBe(75)
    } finally {
      user.close()
    }
    expect(existsSync(folder.in('new.db'))).toBe(false)
  })
})

describe('backups add', () => {
  it('of a damaged file keeps nothing: exit code 2', async () => {
    using folder = makeFolder()
    const path = damaged(folder)
    const { code } = await holdfast(['backups', 'add', path, '--backups', folder.in('backups'), '--json'])
    expect(code).toBe(2)
    expect(globSync('**/*.zst', { cwd: folder.in('backups') })).toEqual([])
  })
})

function damaged(folder: Folder): string {
  const path = makeDatabase(folder.in('app.db'))
  damageIndex(path)
  return path
}

const namesOf = (folder: Folder): readonly string[] => Object.keys(fingerprintOf(folder.path)).toSorted()

/** @returns the id of the backup */
async function addBackup(folder: Folder, path: string): Promise<string> {
  const ran = await holdfast(['backups', 'add', path, '--backups', folder.in('backups'), '--json'])
  expect(ran.code, ran.stderr).toBe(0)
  const { backups } = JSON.parse(ran.stdout) as { readonly backups: readonly { readonly id: string }[] }
  return backups[0]?.id ?? ''
}
