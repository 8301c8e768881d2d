/**
 * The ledger's folder. The ledger has names of tenants and keys of rows, and decides which tenants holdfast resumes: so
 * no other user may change it.
 */

import { lstat, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isNotFound, systemFailure } from '../host/failures/system-failure.ts'
import { syncFolder } from '../host/files/durable.ts'
import { findUntrusted } from '../host/files/trusted-path.ts'
import { makeFolders } from '../host/folders/folder.ts'
import { Failure } from '../model/failure.ts'

export const ledgerFile = (dir: string): string => join(dir, 'ledger.db')

/** Takes the place of the service in the run lock of bare files: such runs that share a ledger take turns. */
export const bareFiles = 'files'

/** The path of a service's run lock, without `.json` or `.lock`. */
export const runLockFile = (dir: string, service: string): string => join(dir, `run-${encodeURIComponent(service)}`)

/** The services whose run lock is among these file names. */
export const servicesIn = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => {
    const [, service] = /^run-(.*)\.json$/.exec(name) ?? []
    try {
      return service === undefined ? [] : [decodeURIComponent(service)]
    } catch (error) {
      if (error instanceof URIError) return [] // Not written by holdfast.
      throw error
    }
  })

/**
 * Makes the folder (0700) if it does not exist.
 * @throws {Failure} LEDGER_UNUSABLE, also if other users can write there
 */
export async function prepareFolder(dir: string): Promise<void> {
  requireTrusted(dir) // First: through a link of another user the folder would be made elsewhere.
  try {
    const [made] = await makeFolders(dir, 0o700)
    if (made !== undefined) await syncFolder(dirname(made))
  } catch (error) {
    throw systemFailure(error, { doing: "make the ledger's folder", path: dir, ...ofLedger })
  }
  await inspectFolder(dir)
}

/**
 * @throws {Failure} LEDGER_UNUSABLE if another user owns the folder or the file or can write to it. Also if the file is
 * not a regular file with one name.
 */
export async function inspectFolder(dir: string): Promise<'there' | 'empty'> {
  requireTrusted(dir) // Also if it does not exist: another user may have moved it away.
  try {
    const folder = await stat(dir)
    if (!folder.isDirectory()) throw unusable(`${dir} is not a folder`)
    if ((folder.mode & 0o022) !== 0)
      throw unusable(`others can write to the ledger's folder ${dir}`, `chmod go-w ${dir}`)
    if (!isOurs(folder))
      throw unusable(
        `the ledger's folder ${dir} belongs to another user (uid ${folder.uid})`,
        'chown it to the user that runs holdfast',
      )
    const file = await lstat(ledgerFile(dir)).catch((error: unknown) => {
      if (isNotFound(error)) return null
      throw error
    })
    if (file === null) return 'empty'
    if (!file.isFile() || file.nlink !== 1) throw unusable(`${ledgerFile(dir)} is not a file with one name`)
    if (!isOurs(file))
      throw unusable(
        `${ledgerFile(dir)} belongs to another user (uid ${file.uid})`,
        'chown it to the user that runs holdfast',
      )
    if ((file.mode & 0o022) !== 0)
      throw unusable(`others can write to ${ledgerFile(dir)}`, `chmod go-w ${ledgerFile(dir)}`)
    return 'there'
  } catch (error) {
    if (isNotFound(error)) return 'empty'
    throw systemFailure(error, { doing: "look into the ledger's folder", path: dir, ...ofLedger })
  }
}

/** A user who may rename a folder above it can put another ledger in its place. */
function requireTrusted(dir: string): void {
  const untrusted = findUntrusted(dir, 'folder')
  if (untrusted !== null)
    throw unusable(
      `another user could change the ledger's folder ${dir}: ` +
        `${untrusted.path === dir ? '' : `${untrusted.path} leads to it: `}${untrusted.why}`,
      untrusted.remedy ?? 'name a folder that no other user can write, below others of that kind',
    )
}

/**
 * The owner of a file can change it, whatever its mode says. A file of root is accepted, because a monitor may run as
 * another user.
 */
const isOurs = ({ uid }: { readonly uid: number }): boolean => uid === 0 || uid === (process.geteuid?.() ?? uid)

const unusable = (message: string, hint: string | null = null): Failure =>
  new Failure('LEDGER_UNUSABLE', message, hint === null ? {} : { hint })

/** Common to every system error on the ledger's files. */
export const ofLedger = {
  code: 'LEDGER_UNUSABLE',
  tenant: 'untouched',
  elsewhere: 'name another folder in ledger.dir (for files: `--ledger DIR`)',
} as const
