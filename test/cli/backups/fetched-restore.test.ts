/** `restore` without a backup of ours: `backups.fetch` brings one, which counts once it was checked here. */
import { chmodSync, copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'

const wound = (path: string): void => {
  using database = new EditableDatabase(path)
  database.write(database.leaf('notes'), Buffer.alloc(4096))
}

/** A service whose tenant acme is damaged, and a command that brings `theirs`. */
async function openDamaged(
  folder: Folder,
  theirs: string,
  printed = 'echo 2026-11-05T00:00:00Z',
): Promise<TestService & { readonly store: string }> {
  const script = folder.in('fetch')
  writeFileSync(script, `#!/bin/sh\ncp ${theirs} "$2"\n${printed}\n`)
  chmodSync(script, 0o700)
  const store = folder.in('backups')
  const service = await openService({
    tenants: (data) => {
      copyFileSync(folder.in('sound.db'), join(data, 'acme.db'))
      wound(join(data, 'acme.db'))
      return { acme: join(data, 'acme.db') }
    },
    settings: { backups: { dir: store, fetch: [script, '{tenant}', '{out}', '{before}'] } },
  })
  return { ...service, store }
}

interface Plan {
  readonly results: readonly {
    readonly plan: { readonly do: string; readonly backup: { readonly id: string; readonly takenAt: string } | null }
    readonly rehearsal: { readonly verdict: string } | null
    readonly failure: { readonly code: string } | null
  }[]
}

test('a sound one is kept, and the plan restores it', async () => {
  using folder = makeFolder()
  makeDatabase(folder.in('sound.db'), { rows: 400 })
  await using service = await openDamaged(folder, folder.in('sound.db'))
  const ran = await holdfast(['restore', '--tenant', 'acme', '--json', '--config', service.config])
  const [result] = (JSON.parse(ran.stdout) as Plan).results
  expect(ran.code, ran.stdout + ran.stderr).toBe(0)
  expect(result).toMatchObject({
    plan: { do: 'restore', backup: { takenAt: '2026-11-05T00:00:00.000Z' } },
    rehearsal: { verdict: 'sound' },
  })
  const listed = await holdfast(['backups', 'list', 'acme', '--json', '--config', service.config])
  expect(JSON.parse(listed.stdout)).toMatchObject({
    backups: [{ id: result?.plan.backup?.id, tenant: 'acme', state: 'verified' }],
  })
})

test('a damaged one is not kept, and nothing is restored', async () => {
  using folder = makeFolder()
  makeDatabase(folder.in('sound.db'), { rows: 400 })
  makeDatabase(folder.in('theirs.db'), { rows: 400 })
  wound(folder.in('theirs.db'))
  await using service = await openDamaged(folder, folder.in('theirs.db'))
  const ran = await holdfast(['restore', '--tenant', 'acme', '--json', '--config', service.config])
  expect(ran.code).toBe(2)
  expect((JSON.parse(ran.stdout) as Plan).results[0]?.failure?.code).toBe('BACKUP_BROKEN')
  expect(existsSync(service.store)).toBe(false)
})

test('one without a time has no age, and the plan of a later run says that no other backup was asked for', async () => {
  using folder = makeFolder()
  makeDatabase(folder.in('sound.db'), { rows: 400 })
  await using service = await openDamaged(folder, folder.in('sound.db'), 'true')
  const args = ['restore', '--tenant', 'acme', '--config', service.config]
  const first = await holdfast([...args, '--json'])
  expect((JSON.parse(first.stdout) as Plan).results[0]?.plan.backup).toMatchObject({ takenAtLatest: true })
  expect(JSON.parse((await holdfast(['backups', 'list', '--json', '--config', service.config])).stdout)).toMatchObject({
    backups: [{ takenAtLatest: true }],
  })
  const text = (await holdfast(args)).stdout.replaceAll(/\s+/g, ' ')
  expect(text).toMatch(/taken \d{4}-\S+ \S+ UTC or earlier,/)
  expect(text).not.toMatch(/the backup is \S+ \S+ old/)
  expect(text).toContain('backups.fetch was not asked')
})
