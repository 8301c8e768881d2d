/**
 * The last valid configuration, in the ledger's folder (I5.1). What a schedule runs goes on with it for a time if the
 * file becomes invalid, cannot be read, or is gone. What changes data never does.
 *
 * That time counts from the first moment at which the file was seen invalid, which is recorded beside the copy. A tool
 * that writes the invalid file again and again must not keep an old configuration alive.
 */

import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isSystemError } from '../host/failures/system-failure.ts'
import { onDisk } from '../host/files/file-name.ts'
import { readCheckedText, writeCheckedText } from '../host/private-files/checked-file.ts'
import { ageOf } from '../model/age.ts'
import { Failure } from '../model/failure.ts'
import { orFailure } from '../model/or-failure.ts'
import { humanMs } from '../text/units.ts'
import { defaultLedgerDir } from './defaults.ts'
import { keepLedgerPointer, readLedgerPointer } from './ledger-pointer.ts'
import { configurationPlaces, fileBytesMax, findConfiguration, loadSettings, readConfiguration } from './load.ts'
import type { Settings } from './settings.ts'

export interface ScheduledSettings {
  readonly settings: Settings
  /** null if the file itself was read. */
  readonly outdated: OutdatedConfiguration | null
}

/** A copy that is used in the place of the file. */
export interface OutdatedConfiguration {
  /** What is wrong with the file, each mistake with its line. */
  readonly failure: Failure
  /** When the copy was made: the file was valid then. ms since 1970. */
  readonly keptAt: number
  /** When holdfast first saw that the file cannot be used. ms since 1970. */
  readonly since: number
  /** Why it could not be recorded since when; `since` is then `keptAt`. null if it is recorded. */
  readonly unrecorded: string | null
}

const title = 'holdfast.configuration-copy/1'
/** JSON writes some characters with six. */
const copyBytesMax = 8 * fileBytesMax

const copyFile = (ledgerDir: string, path: string): string => `${fileOf(ledgerDir, path)}.copy`
const invalidSinceFile = (ledgerDir: string, path: string): string => `${fileOf(ledgerDir, path)}.invalid-since`
const fileOf = (ledgerDir: string, path: string): string =>
  join(ledgerDir, `configuration-${createHash('sha256').update(onDisk(path)).digest('hex').slice(0, 16)}`)

/**
 * Keeps a copy of the file, if the file is valid now. The folder of the ledger must exist.
 * @param now ms since 1970
 * @returns why no copy could be written; null if one was written, or if the file is not valid
 */
export async function keepConfiguration({ file, ledger }: Settings, now: number): Promise<string | null> {
  // Read again: what is kept was checked as it is, and no invalid text takes the place of a valid one.
  const text = await orFailure(readConfiguration(file))
  if (text instanceof Failure) return null
  const { parseSettings } = await import('./parse.ts')
  if (valueOrFailure(() => parseSettings(text, file)) instanceof Failure) return null
  const copy = JSON.stringify({ path: file, keptAt: now, text })
  const unkept = valueOrFailure(() => writeCheckedText(copyFile(ledger.dir, file), title, copy))
  return unkept?.message ?? keepLedgerPointer({ file, ledger })
}

function valueOrFailure<Value>(make: () => Value): Value | Failure {
  try {
    return make()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

/**
 * The settings for what a schedule runs: those of the file, or of the last valid copy within `registry.grace` of it.
 * @param given null: the usual places
 * @param now ms since 1970
 * @param usualLedgerDir where a copy is searched if neither the file nor its pointer gives the folder of the ledger
 * @param onExpired called before the failure, with a copy that was valid and whose time is over: its sinks may be told
 * @throws {Failure} CONFIG_INVALID for the file, if no copy may be used
 */
export async function loadScheduledSettings(
  given: string | null,
  now: number,
  usualLedgerDir = defaultLedgerDir,
  onExpired: OnExpiredCopy = () => Promise.resolve(),
): Promise<ScheduledSettings> {
  const settings = await orFailure(findConfiguration(given).then(loadSettings))
  if (!(settings instanceof Failure)) {
    forgetInvalid(settings)
    return { settings, outdated: null }
  }
  if (settings.code !== 'CONFIG_INVALID' && settings.code !== 'READ_FAILED') throw settings
  const searched = new Set<string>()
  for (const path of await unusablePlaces(given)) {
    for (const folder of new Set([await ledgerDirIn(path), await readLedgerPointer(path), usualLedgerDir])) {
      if (folder === null) continue
      searched.add(folder)
      const copied = await settingsIn(folder, path, settings, now, onExpired)
      if (copied !== null) return copied
    }
  }
  throw withoutCopy(settings, [...searched])
}

/** Called with the settings of the copy. */
export type OnExpiredCopy = (expired: ScheduledSettings & { readonly outdated: OutdatedConfiguration }) => Promise<void>

const withoutCopy = (failure: Failure, searched: readonly string[]): Failure =>
  new Failure(failure.code, failure.message, {
    cause: failure.cause,
    hint: `${failure.hint}; no copy of the last valid configuration is in ${searched.join(' or ')}`,
  })

/** The file that was found, or all places at which none was. */
async function unusablePlaces(given: string | null): Promise<readonly string[]> {
  const found = await orFailure(findConfiguration(given))
  return found instanceof Failure ? configurationPlaces(given) : [found]
}

/** Where the invalid file puts the ledger. null if it does not say so, or if it must not be read. */
async function ledgerDirIn(path: string): Promise<string | null> {
  const text = await orFailure(readConfiguration(path))
  if (text instanceof Failure) return null
  const { textAt } = await import('./yaml-text.ts')
  const dir = textAt(text, ['ledger', 'dir'])
  return dir === null ? null : resolve(dirname(path), dir)
}

/** @returns null if there is no copy @throws {Failure} CONFIG_INVALID if the copy must not be used */
async function settingsIn(
  folder: string,
  path: string,
  failure: Failure,
  now: number,
  onExpired: OnExpiredCopy,
): Promise<ScheduledSettings | null> {
  const file = copyFile(folder, path)
  if (!(await mayEnter(folder))) return null // It is not known whether there is a copy.
  const found = await readCheckedText(file, title, copyBytesMax)
  if (found.kind === 'missing') return null
  const refuse = (why: string): Failure =>
    new Failure(failure.code, `${failure.message}\nThe copy of the last valid configuration is not used: ${why}`, {
      cause: failure,
      hint: failure.hint,
    })
  if (found.kind === 'wrong') throw refuse(`${file}: ${found.why}`)
  const copy = JSON.parse(found.text) as { readonly path: string; readonly keptAt: number; readonly text: string }
  if (copy.path !== path) throw refuse(`${file} is of ${copy.path}`)
  const { parseSettings } = await import('./parse.ts')
  const settings = valueOrFailure(() => parseSettings(copy.text, path))
  if (settings instanceof Failure) throw refuse(`this version does not read it: ${settings.message}`)
  const { since, unrecorded } = await invalidSince(folder, path, copy.keptAt, now)
  const { graceMs } = settings.registry
  const ageMs = ageOf(since, now)
  const outdated = { failure, keptAt: copy.keptAt, since, unrecorded }
  if (ageMs !== null && ageMs <= graceMs) return { settings, outdated }
  await onExpired({ settings, outdated })
  throw refuse(
    `no valid file was seen since ${new Date(since).toISOString()}, and registry.grace allows ${humanMs(graceMs)}` +
      (unrecorded === null ? '' : `; ${unrecorded}`),
  )
}

/**
 * Since when the file is seen invalid. The first call after the copy was made records it, and later calls read it. A
 * file may be invalid for a day until the next run sees it, and that run must still be able to go on. What cannot be
 * recorded must not extend the grace: then it counts from the copy.
 * @param keptAt of the copy: a record that belongs to an older one does not count
 */
async function invalidSince(
  folder: string,
  path: string,
  keptAt: number,
  now: number,
): Promise<Pick<OutdatedConfiguration, 'since' | 'unrecorded'>> {
  const file = invalidSinceFile(folder, path)
  const unrecorded = (why: string): Pick<OutdatedConfiguration, 'since' | 'unrecorded'> => ({
    since: keptAt,
    unrecorded: `it cannot be recorded since when the file is invalid, so the grace counts from the copy (${why})`,
  })
  const found = await readCheckedText(file, invalidSinceTitle, recordBytesMax)
  if (found.kind === 'wrong') return unrecorded(`${file}: ${found.why}`)
  if (found.kind === 'read') {
    const record = JSON.parse(found.text) as InvalidConfiguration
    if (record.path === path && record.keptAt === keptAt) return { since: record.since, unrecorded: null }
  }
  const record: InvalidConfiguration = { path, keptAt, since: now }
  const written = valueOrFailure(() => writeCheckedText(file, invalidSinceTitle, JSON.stringify(record)))
  return written instanceof Failure ? unrecorded(written.message) : { since: now, unrecorded: null }
}

const invalidSinceTitle = 'holdfast.configuration-invalid-since/1'
const recordBytesMax = 64 << 10

interface InvalidConfiguration {
  readonly path: string
  readonly keptAt: number
  readonly since: number
}

/** A record that stays makes the next grace shorter, so it is no failure that it cannot be removed. */
function forgetInvalid({ file, ledger }: Settings): void {
  try {
    rmSync(onDisk(invalidSinceFile(ledger.dir, file)), { force: true })
  } catch (error) {
    if (!isSystemError(error)) throw error
  }
}

async function mayEnter(folder: string): Promise<boolean> {
  try {
    await access(onDisk(folder), constants.X_OK)
    return true
  } catch (error) {
    if (isSystemError(error)) return false
    throw error
  }
}
