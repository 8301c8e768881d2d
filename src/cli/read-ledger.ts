/** Reads configuration and ledger for a monitor, which may run as another user than holdfast. */
import { access, constants, stat } from 'node:fs/promises'
import type { ScheduledSettings } from '../config/last-good.ts'
import { configurationPlaces, findConfiguration, loadSettings } from '../config/load.ts'
import type { Settings } from '../config/settings.ts'
import { onDisk } from '../host/files/file-name.ts'
import { ledgerFile } from '../ledger/folder.ts'
import type { LedgerReader } from '../ledger/ledger.ts'
import { readLedger } from '../ledger/open-ledger.ts'
import { Failure } from '../model/failure.ts'
import type { ServiceWay } from '../model/service-way.ts'
import { scheduledSettings } from './run/scheduled-settings.ts'
import type { Terminal } from './terminal/terminal.ts'

/** @throws {Failure} CONFIG_INVALID, with the advice for other users if we may not read the file */
export async function settingsToRead(given: string | null): Promise<Settings> {
  const file = await findConfiguration(given)
  return loadSettings(file).catch((error: unknown) => throwWithAdvice(error, [file]))
}

/**
 * As `settingsToRead`, or those of the last valid configuration.
 * @throws {Failure} CONFIG_INVALID, with the advice for other users if we may not read the file
 */
export async function settingsOfSchedule(given: string | null, terminal: Terminal): Promise<ScheduledSettings> {
  return scheduledSettings(given, terminal).catch(async (error: unknown) =>
    throwWithAdvice(error, configurationPlaces(given)),
  )
}

/** @throws {Failure} LEDGER_UNUSABLE, with the advice for other users if we may not read the ledger */
export function ledgerToRead(dir: string, way: ServiceWay): Promise<LedgerReader> {
  return readLedger(dir, way).catch((error: unknown) => throwWithAdvice(error, [dir, ledgerFile(dir)]))
}

/**
 * The ledger decides which tenants holdfast resumes, so no other user may write it, nor read it. Other users get the
 * status in a file.
 */
const forOthers =
  'only root and the user that runs holdfast may read this; let that user write the status to a file ' +
  'for you, from cron or a timer: `holdfast status --format nagios --output FILE`'

async function throwWithAdvice(error: unknown, paths: readonly string[]): Promise<never> {
  if (!(error instanceof Failure)) throw error
  const areClosed = await Promise.all(paths.map(isClosedToUs))
  throw areClosed.includes(true)
    ? new Failure(error.code, error.message, { cause: error.cause, hint: forOthers })
    : error
}

/** True if the path belongs to another user than root and us, or if we may not read it. */
async function isClosedToUs(path: string): Promise<boolean> {
  const user = process.geteuid?.() ?? 0
  if (user === 0) return false
  try {
    if (![0, user].includes((await stat(onDisk(path))).uid)) return true
    await access(onDisk(path), constants.R_OK)
    return false
  } catch (error) {
    return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
  }
}
