/** What tells this machine, and the state of its agent, from another one that has the same host name. */

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, nameOfError, systemFailure } from '../../host/failures/system-failure.ts'
import { ofLedger } from '../../ledger/folder.ts'
import { outboxFolder } from '../results/outbox-file.ts'

/**
 * The id of the machine, if the system has one, and of the folder of the outbox. A machine may have been copied with
 * its id, and two agents of one machine may have been given one name.
 * @throws {Failure} LEDGER_UNUSABLE
 */
export function machineIdentity(ledgerDir: string): string {
  return `${machineId() ?? 'unnamed'}.${stateId(ledgerDir)}`
}

const shown = 12

function machineId(): string | null {
  for (const file of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    const id = /^[0-9a-f]{32}$/.exec(read(file)?.trim() ?? '')?.[0]
    if (id !== undefined) return id.slice(0, shown)
  }
  return null
}

function stateId(ledgerDir: string): string {
  const path = join(outboxFolder(ledgerDir), 'state-id')
  const found = /^[0-9a-f]{12}$/.exec(read(path)?.trim() ?? '')?.[0]
  if (found !== undefined) return found
  const id = randomBytes(shown / 2).toString('hex')
  try {
    writeFileSync(path, `${id}\n`, { mode: 0o600, flush: true })
    return id
  } catch (error) {
    throw systemFailure(error, { doing: 'write the id of the agent', path, ...ofLedger })
  }
}

/** null if there is no such file. */
function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (isSystemError(error) && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(nameOfError(error))) return null
    throw systemFailure(error, { doing: 'read the id of this machine', path, ...ofLedger })
  }
}
