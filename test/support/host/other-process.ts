import { constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild, type Child } from '../../../src/host/process/child.ts'
import type { FileTask } from '../programs/other-process.ts'

export interface OtherProcess extends AsyncDisposable {
  readonly pid: number
  do(task: FileTask): Promise<number | string>
  open(path: string, how: 'read' | 'write'): Promise<number>
}

/** A second, real process. Ends with the test. */
export async function startOtherProcess(): Promise<OtherProcess> {
  const child: Child<FileTask, number | string> = await startChild(programOf('other-process'), {
    ownSession: false,
    niceness: 0,
    memoryBytesMax: null,
    env: {},
  })
  const act = (task: FileTask): Promise<number | string> => child.ask(task, { timeoutMs: 20_000 })
  return {
    pid: child.pid,
    do: act,
    open: async (path, how) =>
      Number(await act({ do: 'open', path, flags: how === 'read' ? constants.O_RDONLY : constants.O_RDWR })),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

export const programOf = (name: string): string => fileURLToPath(new URL(`../programs/${name}.ts`, import.meta.url))

/** A folder that goes with the test. */
export function temporaryFolder(
  below = tmpdir(),
): Disposable & { readonly path: string; readonly file: (name: string) => string } {
  const path = mkdtempSync(join(below, 'holdfast-host-'))
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}
