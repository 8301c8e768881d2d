/** The file of a page. A person may name a database by mistake, in a folder that no setting knows. */
import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { Failure } from '../../model/failure.ts'

const beginningOfPage = '<!doctype html'

/**
 * Allows a name that is not taken, and a page. Any other file may be a database: an empty one, or one whose header is
 * broken. `--html *.db` names one by mistake.
 * @throws {Failure} NOT_A_FILE for another regular file; NO_PERMISSION or READ_FAILED if it cannot be read
 */
export async function requireNoOtherFile(file: string): Promise<void> {
  const found = await lstat(onDisk(file)).catch(() => null)
  if (found?.isFile() !== true) return // `replaceFile` refuses a link, a folder and a device.
  if ((await beginningOf(file)).toLowerCase() === beginningOfPage) return
  throw new Failure('NOT_A_FILE', `${file} is no page of HTML, and is not replaced`, {
    hint: 'name a file that is not there yet, or an earlier page',
  })
}

async function beginningOf(file: string): Promise<string> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    await using handle = await open(onDisk(file), flags)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(beginningOfPage.length), 0, beginningOfPage.length, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } catch (error) {
    throw systemFailure(error, { doing: 'read', path: file })
  }
}
