/** A service whose list of tenants is away for hours, by an injected clock (I5.1, I5.2). */
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { expect, test } from 'vitest'
import { parseSettings } from '../../../src/config/parse.ts'
import { readCheckedText, writeCheckedText } from '../../../src/host/private-files/checked-file.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { Event } from '../../../src/model/event.ts'
import { Failure } from '../../../src/model/failure.ts'
import { keepRegistryCopy, readRegistryCopy, registryCopyFile } from '../../../src/runs/begin/registry-copy.ts'
import { readRegistry, type RegistryReader } from '../../../src/runs/begin/registry.ts'
import { nothingLeftOut, type RegisteredTenant } from '../../../src/service/port.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

const hourMs = 3_600_000
const began = Date.parse('2026-11-28T03:00:00Z')
const tenants = [{ id: tenantId('acme'), files: ['/srv/notes/acme.db'], state: 'active' }] as const

interface Scene extends Disposable {
  readonly reader: RegistryReader
  readonly events: Event[]
  readonly notices: string[]
  hours: number
  list: () => readonly RegisteredTenant[]
}

function openScene(more = ''): Scene {
  const folder = temporaryFolder()
  mkdirSync(folder.file('ledger'), { mode: 0o700 })
  const text =
    'service: { name: notes, admin: "unix:/run/notes.sock" }\ntenants: { roots: [/srv/notes] }\n' +
    `ledger: { dir: ledger }\n${more}`
  const scene = {
    events: [] as Event[],
    notices: [] as string[],
    hours: 0,
    list: (): readonly RegisteredTenant[] => tenants,
  }
  const reader: RegistryReader = {
    settings: parseSettings(text, folder.file('holdfast.yaml')),
    service: { tenants: () => new Promise((resolve) => resolve(scene.list())), leftOut: nothingLeftOut },
    ledger: { append: (event) => Promise.resolve(void scene.events.push(event)) },
    signal: new AbortController().signal,
    now: () => began + scene.hours * hourMs,
    onRegistry: (_, notices) => void scene.notices.push(...notices),
  }
  return Object.assign(scene, { reader, [Symbol.dispose]: () => folder[Symbol.dispose]() })
}

const down = (): never => {
  throw new Failure('ADMIN_UNREACHABLE', 'connection refused')
}
const stale = (message: RegExp): Error =>
  expect.objectContaining({ code: 'REGISTRY_STALE', message: expect.stringMatching(message) as string }) as Error

test('I5.2: a registry that is down for 8 hours is replaced by its copy, and 9 hours are too long', async () => {
  using scene = openScene()
  expect(await readRegistry(scene.reader, [])).toMatchObject({ source: 'live', tenants })
  scene.list = down
  for (scene.hours = 1; scene.hours <= 8; scene.hours++)
    expect(await readRegistry(scene.reader, [])).toEqual({ source: 'cached', tenants, gone: [], unsearched: [] })
  scene.hours = 9
  await expect(readRegistry(scene.reader, [])).rejects.toEqual(
    stale(/connection refused.*copy of 2026-11-28T03:00:00\.000Z is 9 h old; registry\.grace allows 8 h$/),
  )
  // What status reads: when the service last gave its list, and why it gives none.
  const why = { code: 'ADMIN_UNREACHABLE', why: 'connection refused' }
  expect(scene.events.at(0)).toEqual({ kind: 'registry-read', source: 'live', since: began })
  expect(scene.events.at(8)).toEqual({ kind: 'registry-read', source: 'cached', since: began, ...why })
  expect(scene.events.at(9)).toEqual({ kind: 'registry-read', source: 'refused', since: began, ...why })
  expect(scene.notices.at(-1)).toMatch(/which is 8 h old\. registry\.grace allows 8 h$/)
  scene.list = () => tenants
  expect((await readRegistry(scene.reader, [])).source).toBe('live')
  scene.list = down
  scene.hours += 7
  expect((await readRegistry(scene.reader, [])).source).toBe('cached')
})

test('a list that became empty is not true, although the ledger knows no tenant yet', async () => {
  using scene = openScene()
  scene.list = () => []
  expect(await readRegistry(scene.reader, [])).toMatchObject({ source: 'live', tenants: [] })
  scene.list = () => tenants
  await readRegistry(scene.reader, [])
  scene.list = () => []
  expect(await readRegistry(scene.reader, [])).toMatchObject({ source: 'cached', tenants })
  expect(scene.notices.at(-1)).toContain('the service lists no tenants, and it listed 1 tenant before')
})

test('a list whose tenants have lost all their files is not true, and does not become the copy', async () => {
  using scene = openScene()
  const hollow = [{ ...tenants[0], files: [] }]
  scene.list = () => hollow
  expect(await readRegistry(scene.reader, [])).toMatchObject({ source: 'live', tenants: hollow })
  scene.list = () => tenants
  await readRegistry(scene.reader, [])
  scene.list = () => hollow
  for (scene.hours = 1; scene.hours <= 2; scene.hours++)
    expect(await readRegistry(scene.reader, [])).toMatchObject({ source: 'cached', tenants, gone: [] })
  expect(scene.notices.at(-1)).toContain('the service lists no file of any tenant, and it listed 1 tenant before')
  scene.hours = 9
  await expect(readRegistry(scene.reader, [])).rejects.toEqual(stale(/lists no file of any tenant/))
})

test('an interruption is no failure of the registry: no copy is used', async () => {
  using scene = openScene()
  await readRegistry(scene.reader, [])
  scene.list = () => {
    throw new Failure('INTERRUPTED', 'Ctrl-C')
  }
  await expect(readRegistry(scene.reader, [])).rejects.toMatchObject({ code: 'INTERRUPTED' })
  scene.list = down
  const interrupted = { ...scene.reader, signal: AbortSignal.abort() }
  await expect(readRegistry(interrupted, [])).rejects.toMatchObject({ code: 'ADMIN_UNREACHABLE' })
  expect(scene.events.length).toBe(1)
})

test('a ledger that cannot be written, and a copy that cannot be kept, prevent no run', async () => {
  using scene = openScene()
  const full = (): Promise<never> => Promise.reject(new Failure('LEDGER_UNUSABLE', 'the disk is full'))
  const settings = { ...scene.reader.settings, ledger: { dir: '/proc/nowhere' } }
  const registry = await readRegistry({ ...scene.reader, settings, ledger: { append: full } }, [])
  expect(registry).toMatchObject({ source: 'live', tenants })
  expect(scene.notices).toEqual([expect.stringMatching(/^the copy of the list of tenants could not be kept: /)])
})

const title = 'holdfast.registry-copy/1'

/** Changes the copy as a holdfast would have written it. */
async function rewrite(copy: string, change: object): Promise<void> {
  const found = await readCheckedText(copy, title, 1e6)
  if (found.kind !== 'read') throw new Error('there is no copy')
  writeCheckedText(copy, title, JSON.stringify({ ...(JSON.parse(found.text) as object), ...change }))
}

const spoilt: readonly (readonly [string, (copy: string) => unknown, RegExp])[] = [
  ['altered', (copy) => writeFileSync(copy, readFileSync(copy, 'utf8').replace('acme', 'evil')), /it was altered/],
  ['half written', (copy) => truncateSync(copy, statSync(copy).size - 20), /only a part of it was written/],
  ['empty', (copy) => truncateSync(copy, 0), /only a part of it was written/],
  ['for others to write', (copy) => chmodSync(copy, 0o666), /another user could change it/],
  ['a link', (copy) => (renameSync(copy, `${copy}.real`), symlinkSync(`${copy}.real`, copy)), /symbolic link/],
  ['of another address', (copy) => rewrite(copy, { address: '/run/b.sock' }), /it is of notes at \/run\/b\.sock/],
  ['of another shape', (copy) => rewrite(copy, { tenants: [{ id: 7 }] }), /not one that this holdfast wrote/],
]

test.each(spoilt)('I5.1: a copy that is %s is ignored, and it is said', async (_, spoil, why) => {
  using scene = openScene()
  await readRegistry(scene.reader, [])
  await spoil(registryCopyFile(scene.reader.settings))
  scene.list = down
  await expect(readRegistry(scene.reader, [])).rejects.toMatchObject({ code: 'ADMIN_UNREACHABLE' })
  expect(scene.notices).toEqual([expect.stringMatching(/^\S+registry-notes\.copy is ignored: /)])
  expect(scene.notices[0]).toMatch(why)
  expect(scene.events.at(-1)).toMatchObject({ source: 'refused', since: null })
})

test('a copy from the future is too old: a clock was wrong', async () => {
  using scene = openScene()
  scene.hours = 5
  await readRegistry(scene.reader, [])
  scene.list = down
  scene.hours = 0
  await expect(readRegistry(scene.reader, [])).rejects.toEqual(stale(/is in the future, because a clock was wrong/))
})

test('a copy of other hooks is refused without their arguments, which may be secrets', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.file('ledger'), { mode: 0o700 })
  const reachedBy = (token: string): ReturnType<typeof parseSettings> =>
    parseSettings(
      `service: { name: notes, hooks: { tenants: [/bin/t], quiesce: [/bin/q, ${token}, "{tenant}"], ` +
        'resume: [/bin/r, "{tenant}"] } }\ntenants: { roots: [/srv/notes] }\nledger: { dir: ledger }\n',
      folder.file('holdfast.yaml'),
    )
  expect(keepRegistryCopy(reachedBy('OLDSECRET'), tenants, began)).toBeNull()
  expect(await readRegistryCopy(reachedBy('NEWSECRET'))).toEqual({
    kind: 'wrong',
    why: 'it is of notes with another quiesce command',
  })
})
