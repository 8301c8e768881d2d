/** The pointer from a configuration to its ledger: what it finds, and when it is not trusted (I5.1). */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultLedgerDir } from '../../src/config/defaults.ts'
import { keepConfiguration, loadScheduledSettings } from '../../src/config/last-good.ts'
import { keepLedgerPointer, ledgerPointerFile } from '../../src/config/ledger-pointer.ts'
import { loadSettings } from '../../src/config/load.ts'
import { temporaryFolder } from '../support/host/other-process.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
  mkdirSync(folder.file('ledger'), { mode: 0o700 })
})
afterEach(() => folder[Symbol.dispose]())

const file = (): string => folder.file('holdfast.yaml')
const pointer = (): string => ledgerPointerFile(file())
const otherPointer = (): string => ledgerPointerFile(folder.file('other.yaml'))
const load = (): ReturnType<typeof loadScheduledSettings> => loadScheduledSettings(file(), Date.now())
const valid = (more = ''): string =>
  'service: { name: notes, admin: "unix:/run/notes.sock" }\ntenants: { roots: [/srv/notes] }\n' +
  `ledger: { dir: ledger }\n${more}`

const write = (text: string): void => {
  writeFileSync(file(), text)
  chmodSync(file(), 0o600)
}

async function kept(more = ''): Promise<void> {
  write(valid(more))
  expect(await keepConfiguration(await loadSettings(file()), Date.now())).toBeNull()
}

test('it is private, and is found for a file without a word of the ledger', async () => {
  await kept('hold: { maxPaused: 7 }\n')
  expect(statSync(pointer()).mode & 0o777).toBe(0o600)
  for (const text of ['', valid().replace('dir:', 'dirr:'), `${valid()}hold: [\n`]) {
    write(text)
    expect((await load()).settings.hold.maxPaused).toBe(7)
  }
  rmSync(file())
  expect((await load()).settings.hold.maxPaused).toBe(7)
})

test.each([
  ['others may write', () => chmodSync(pointer(), 0o666)],
  ['was altered', () => writeFileSync(pointer(), readFileSync(pointer(), 'utf8').replace('ledger"', 'elsewhere"'))],
  ['is a folder', () => (rmSync(pointer()), mkdirSync(pointer()))],
  ['is of another configuration', () => copyFileSync(otherPointer(), pointer())],
])('one that %s is not trusted', async (_, change) => {
  await kept()
  writeFileSync(folder.file('other.yaml'), valid(), { mode: 0o600 })
  await keepConfiguration(await loadSettings(folder.file('other.yaml')), Date.now())
  change()
  write('')
  await expect(load()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    hint: expect.stringMatching(/no copy of the last valid configuration is in \/var\/lib\/holdfast$/) as string,
  })
})

test('it goes with the ledger: it follows another folder, and is not there for the usual one', async () => {
  await kept()
  mkdirSync(folder.file('moved'), { mode: 0o700 })
  write(valid().replace('dir: ledger', 'dir: moved'))
  await keepConfiguration(await loadSettings(file()), Date.now())
  expect(readFileSync(pointer(), 'utf8')).toContain(folder.file('moved'))
  const usual = { ...(await loadSettings(file())), ledger: { dir: defaultLedgerDir } }
  expect(await keepLedgerPointer(usual)).toBeNull()
  expect(existsSync(pointer())).toBe(false)
})
