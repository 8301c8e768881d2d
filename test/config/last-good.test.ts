/** The copy of the last valid configuration, and when it is used (I5.1, I5.2). */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keepConfiguration, loadScheduledSettings } from '../../src/config/last-good.ts'
import { ledgerPointerFile } from '../../src/config/ledger-pointer.ts'
import { loadSettings } from '../../src/config/load.ts'
import { temporaryFolder } from '../support/host/other-process.ts'

const hourMs = 3_600_000
const isRoot = process.geteuid?.() === 0

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
  mkdirSync(folder.file('ledger'), { mode: 0o700 })
})
afterEach(() => folder[Symbol.dispose]())

const file = (): string => folder.file('holdfast.yaml')
const valid = (more = ''): string =>
  'service: { name: notes, admin: "unix:/run/notes.sock" }\ntenants: { roots: [/srv/notes] }\n' +
  `ledger: { dir: ledger }\n${more}`

const write = (text: string): void => {
  writeFileSync(file(), text)
  chmodSync(file(), 0o600)
}

/** A valid file, and a copy of it. */
async function kept(more = ''): Promise<void> {
  write(valid(more))
  expect(await keepConfiguration(await loadSettings(file()), Date.now())).toBeNull()
}

const fileOfLedger = (ending: string): string => {
  const names = readdirSync(folder.file('ledger'))
  return join(folder.file('ledger'), names.find((name) => name.endsWith(ending)) ?? `none${ending}`)
}
const copyFile = (): string => fileOfLedger('.copy')
const recordFile = (): string => fileOfLedger('.invalid-since')
const pointer = (): string => ledgerPointerFile(file())

const load = (aheadMs = 0) => loadScheduledSettings(file(), Date.now() + aheadMs)
const refused = (message: RegExp): Error =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) as string }) as Error

test('a valid file is used as it is, and its copy is private', async () => {
  await kept('hold: { maxPaused: 7 }\n')
  write(valid('hold: { maxPaused: 8 }\n'))
  const { settings, outdated } = await load()
  expect([settings.hold.maxPaused, outdated]).toEqual([8, null])
  expect(statSync(copyFile()).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder.file('ledger')).length).toBe(1)
})

describe('I5.1: the copy takes the place of a file', () => {
  test.each([
    [
      'with an unknown key',
      () => write(valid('hold: { maxPaused: 1, ttll: 3s }\n')),
      /:4:23: unknown key hold\.ttll: did you mean ttl\?/,
    ],
    [
      'with a value that is not allowed',
      () => write(valid('hold: { ttl: soon }\n')),
      /:4:14: hold\.ttl: expected a duration/,
    ],
    ['that is no YAML', () => write(`${valid()}hold: [\n`), /is no valid YAML/],
    ['with a tab', () => write(valid('hold:\n\tttl: 3s\n')), /a tab indents this line/],
    ['that is empty', () => write(valid().replace(/service.*\n/, '')), /service is missing/],
  ])('%s', async (_, spoil, message) => {
    await kept('hold: { maxPaused: 7 }\n')
    spoil()
    const { settings, outdated } = await load()
    expect([settings.hold.maxPaused, settings.file, settings.ledger.dir]).toEqual([7, file(), folder.file('ledger')])
    expect(outdated?.failure.message).toMatch(message)
    // What is invalid never takes the place of what was valid.
    expect(await keepConfiguration(settings, Date.now())).toBeNull()
    expect((await load()).settings.hold.maxPaused).toBe(7)
  })
})

test('I5.2: the grace begins when the file is first seen invalid; after it the mistake is the failure', async () => {
  await kept()
  write(valid('hold: { ttl: soon }\n'))
  // It was broken by day, and a sweep of the night is the first run that sees it.
  expect((await load(16 * hourMs)).outdated).not.toBeNull()
  expect((await load(23 * hourMs)).outdated).not.toBeNull()
  await expect(load(25 * hourMs)).rejects.toEqual(
    refused(/:4:14: hold\.ttl: [^]* is not used: no valid file was seen since \S+Z, and registry\.grace allows 8 h$/),
  )
  await kept('registry: { grace: 0s }\n')
  write(valid('hold: { ttl: soon }\n'))
  await load()
  await expect(load(1000)).rejects.toEqual(refused(/registry\.grace allows 0 ms/))
  await kept('registry: { grace: 2d }\n')
  write(valid('hold: { ttl: soon }\n'))
  await load()
  expect((await load(47 * hourMs)).outdated).not.toBeNull()
})

test('a copy whose time is over is handed out before the failure: its sinks can be told', async () => {
  await kept('alerts: [ { command: [/bin/true] } ]\n')
  write(valid('hold: { ttl: soon }\n'))
  const told: string[] = []
  const late = (aheadMs: number) =>
    loadScheduledSettings(file(), Date.now() + aheadMs, undefined, ({ settings, outdated }) => {
      told.push(`${settings.alerts.length} ${outdated.failure.code}`)
      return Promise.resolve()
    })
  await late(0)
  expect(told).toEqual([])
  await expect(late(9 * hourMs)).rejects.toEqual(refused(/hold\.ttl/))
  expect(told).toEqual(['1 CONFIG_INVALID'])
})

describe('I5.2: the grace counts from the first time at which the file was seen invalid', () => {
  const spoil = (): void => write(valid('hold: { ttl: soon }\n'))
  const since = async (): Promise<number> => (await load()).outdated?.since ?? 0
  /** The clock of the file system may be coarse. */
  const changeLater = (change: () => void): void => {
    const { ctimeMs } = statSync(file())
    do change()
    while (Math.floor(statSync(file()).ctimeMs) <= Math.floor(ctimeMs))
  }

  test('whatever writes or touches the invalid file later', async () => {
    await kept()
    spoil()
    const before = Date.now()
    const first = await since()
    expect(first).toBeGreaterThanOrEqual(before)
    expect(statSync(recordFile()).mode & 0o777).toBe(0o600)
    changeLater(spoil)
    changeLater(() => utimesSync(file(), new Date(), new Date()))
    expect(await since()).toBe(first)
    rmSync(file())
    const usual = await loadScheduledSettings(file(), Date.now(), folder.file('ledger'))
    expect(usual.outdated).toMatchObject({ since: first, unrecorded: null })
  })

  test('and anew after the file was valid', async () => {
    await kept()
    spoil()
    const first = await since()
    changeLater(() => write(valid()))
    expect((await load()).outdated).toBeNull()
    expect(readdirSync(folder.file('ledger'))).toHaveLength(1)
    changeLater(spoil)
    expect(await since()).toBeGreaterThan(first)
  })

  test('a record that an older copy left does not count', async () => {
    await kept()
    spoil()
    const first = await since()
    const record = readFileSync(recordFile())
    write(valid())
    await keepConfiguration(await loadSettings(file()), first + 1000)
    writeFileSync(recordFile(), record, { mode: 0o600 })
    spoil()
    expect((await load(5000)).outdated?.since).toBeGreaterThanOrEqual(first + 5000)
  })

  test.each([
    ['a folder', (record: string) => (rmSync(record), mkdirSync(record)), /not a regular file/],
    ['altered', (record: string) => truncateSync(record, 90), /it was altered/],
    ['of others to write', (record: string) => chmodSync(record, 0o622), /another user could change it/],
  ])('a record that is %s extends nothing: then it counts from the copy, and that is said', async (_, change, why) => {
    write(valid())
    const keptAt = Date.now() - 7 * hourMs
    expect(await keepConfiguration(await loadSettings(file()), keptAt)).toBeNull()
    spoil()
    expect(await since()).toBeGreaterThan(keptAt)
    change(recordFile())
    expect((await load()).outdated).toMatchObject({ since: keptAt, unrecorded: expect.stringMatching(why) as string })
    await expect(load(2 * hourMs)).rejects.toEqual(
      refused(/registry\.grace allows 8 h; it cannot be recorded since when the file is invalid/),
    )
  })
})

test.each([
  [
    'altered',
    (copy: string) => writeFileSync(copy, readFileSync(copy, 'utf8').replace('/srv/notes', '/srv/evil')),
    /it was altered/,
  ],
  ['half written', (copy: string) => truncateSync(copy, 100), /it was altered, or only a part/],
  ['of others to write', (copy: string) => chmodSync(copy, 0o622), /another user could change it/],
])('a copy that is %s is not used, and the mistake in the file is said first', async (_, spoil, why) => {
  await kept()
  spoil(copyFile())
  write(valid('hold: { ttl: soon }\n'))
  await expect(load()).rejects.toEqual(refused(new RegExp(`^[^]*hold\\.ttl[^]*${why.source}`)))
})

test('without a copy, a file that is invalid or missing is a failure as ever', async () => {
  write(valid('hold: { ttl: soon }\n'))
  await expect(load()).rejects.toEqual(refused(/hold\.ttl: expected a duration \S+ \S+ \S+, found the text "soon"$/))
  rmSync(file())
  await expect(load()).rejects.toEqual(refused(/^no configuration: there is no /))
})

test('a copy of another file is not used', async () => {
  await kept()
  const other = folder.file('other.yaml')
  writeFileSync(other, valid('hold: { ttl: soon }\n'), { mode: 0o600 })
  await expect(loadScheduledSettings(other, Date.now())).rejects.toEqual(refused(/other\.yaml:4:14/))
})

/** Nothing in such a file says where the ledger is: the pointer beside it does, else the usual folder is searched. */
describe('I5.1: a file that gives not even the folder of the ledger', () => {
  const unusable: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['missing', () => rmSync(file()), /^no configuration: there is no /],
    ['a folder', () => (rmSync(file()), mkdirSync(file())), /is not a regular file/],
    ['no text', () => writeFileSync(file(), Buffer.of(0xff, 0xfe)), /is not UTF-8/],
    ['too large', () => write(valid(`# ${'x'.repeat(1_100_000)}\n`)), /a configuration has at most/],
    ['open to all to write', () => chmodSync(file(), 0o666), /another user could change/],
    ...(isRoot
      ? ([['of another user', () => chownSync(file(), 65_534, 65_534), /another user could change/]] as const)
      : ([['unreadable', () => chmodSync(file(), 0), /cannot read the configuration/]] as const)),
  ]
  test.each(unusable)('%s', async (_, spoil, message) => {
    await kept('hold: { maxPaused: 7 }\n')
    const copy = readFileSync(copyFile(), 'utf8')
    const settings = await loadSettings(file())
    spoil()
    // It is not copied, and no text of it is used.
    expect(await keepConfiguration(settings, Date.now())).toBeNull()
    expect(readFileSync(copyFile(), 'utf8')).toBe(copy)
    const pointed = await load()
    expect([pointed.settings.hold.maxPaused, pointed.outdated?.failure.code]).toEqual([7, expect.any(String)])
    rmSync(pointer())
    await expect(load()).rejects.toEqual(refused(message))
    const usual = await loadScheduledSettings(file(), Date.now(), folder.file('ledger'))
    expect(usual.settings.hold.maxPaused).toBe(7)
    expect(usual.outdated?.failure.message).toMatch(message)
    await expect(loadScheduledSettings(file(), Date.now() + 9 * hourMs, folder.file('ledger'))).rejects.toEqual(
      refused(/registry\.grace allows 8 h$/),
    )
  })
})

test('the time of a file may lie in the past: the copy is then as old as it says', async () => {
  await kept()
  write(valid('hold: { ttl: soon }\n'))
  utimesSync(file(), new Date(0), new Date(0))
  expect((await load()).outdated).not.toBeNull()
})
