import { constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild, type Child } from '../../../src/host/process/child.ts'
import type { Deed } from '../programs/other-process.ts'

export interface OtherProcess extends AsyncDisposable {
  readonly pid: number
  do(deed: Deed): Promise<number | string>
  open(path: string, how: 'read' | 'write'): Promise<number>
}

/** A second, real process. Ends with the test. */
export async function startOtherProcess(): Promise<OtherProcess> {
  const child: Child<Deed, number | string> = await startChild(programOf('other-process'), {
    ownSession: false,
    niceness: 0,
    memoryBytesMax: null,
    env: {},
  })
  const act = (deed: Deed): Promise<number | string> => child.ask(deed, { timeoutMs: 20_000 })
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

/** Waits until `condition` answers something, with a deadline. */
export async function eventually<Seen>(
  what: string,
  condition: () => Seen | null | false | undefined,
  deadlineMs = 10_000,
): Promise<Seen> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const seen = condition()
    if (seen !== null && seen !== undefined && seen !== false) return seen
    if (performance.now() > end) throw new Error(`did not happen within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
