/** A run that changes a file, or undoes a change, with one call that kills it or fails. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { findChanges } from '../../../src/hold/change/recovery/find-changes.ts'
import { recoverChanges } from '../../../src/hold/change/recovery/recover-changes.ts'
import { repository } from '../processes.ts'
import { straceArguments, type Fault } from '../system-calls/strace.ts'
import { bytesInState, contentOf, readSet, inMemory, writeSet, type SetBytes, type SetState } from './changes.ts'

export interface InterruptedChange {
  readonly state: SetState
  readonly method: 'swap' | 'in-place'
  readonly what: 'change' | 'undo'
}

interface Paths {
  readonly home: string
  readonly live: string
  readonly file: string
  readonly place: { readonly kind: 'quarantine'; readonly folder: string }
}

interface Contents {
  readonly old: string
  readonly fresh: string
}

/**
 * Each call of these kinds, one in each run, kills the run or fails. Expects after each that SQLite finds the old
 * content or the new one, that the next run says which, and that nothing of ours is left but the kept original.
 * @param what as strace has it: `signal=SIGKILL`, `error=EIO`
 * @returns how many runs broke off
 */
export async function breakOffAtEach(one: InterruptedChange, calls: readonly string[], what: string): Promise<number> {
  const home = mkdtempSync(join(inMemory, 'holdfast-calls-'))
  try {
    const bytes = bytesInState(one.state, 120)
    const contents = await bothContents(home, one, bytes)
    let broken = 0
    for (const call of calls) {
      // A call that fails may change nothing of the outcome, so several in a row must pass before it is the last.
      let passed = 0
      for (let when = 1; passed < 6; when += call === 'pwrite64' && when > 6 ? 7 : 1) {
        const at = pathsIn(home, `${call}-${when}`)
        writeSet(at.file, bytes)
        if (one.what === 'undo') await run(at, { ...one, what: 'change' }, null)
        const said = await run(at, one, { call, what, when, path: null })
        const about = `${one.what} in ${one.state} by ${one.method}, ${what} at ${call} ${when}: ${said}`
        await expectWhole(at, one, bytes, contents, said, about)
        rmSync(at.home, { recursive: true, force: true })
        if (said?.includes('"applied"') === true) passed++
        else {
          passed = 0
          broken++
        }
        if (said !== null && what.startsWith('signal')) break
      }
    }
    return broken
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function pathsIn(home: string, name: string): Paths {
  const folder = join(home, name)
  mkdirSync(join(folder, 'live'), { recursive: true })
  return {
    home: folder,
    live: join(folder, 'live'),
    file: join(folder, 'live', 'app.db'),
    place: { kind: 'quarantine', folder: join(folder, 'quarantine') },
  }
}

/** @returns what the program printed; null if it was killed */
async function run(at: Paths, { method, what }: InterruptedChange, fault: Fault | null): Promise<string | null> {
  const program = [process.execPath, 'test/support/programs/changer.ts', what, at.file, at.home, method]
  const [command = '', ...args] =
    fault === null ? program : ['strace', ...straceArguments('/dev/null', fault), ...program]
  const child = spawn(command, args, { cwd: repository, stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  let said = ''
  let hung: NodeJS.Timeout | null = null
  child.stdout.on('data', (bytes: Buffer) => {
    said += String(bytes)
    // koffi syncs stdout when it is unloaded, and waits for ever if that is the call that fails.
    hung ??= setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), 3_000)
  })
  await new Promise((resolve) => child.once('close', resolve))
  if (hung !== null) clearTimeout(hung)
  return said === '' ? null : said.trim()
}

/** The contents before and after, by a run that nothing breaks off. */
async function bothContents(home: string, one: InterruptedChange, bytes: SetBytes): Promise<Contents> {
  const at = pathsIn(home, 'whole')
  writeSet(at.file, bytes)
  const old = contentOf(at.file)
  await run(at, { ...one, what: 'change' }, null)
  const fresh = contentOf(at.file)
  expect(fresh).not.toBe(old)
  return { old, fresh }
}

async function expectWhole(
  at: Paths,
  { what }: InterruptedChange,
  bytes: SetBytes,
  { old, fresh }: Contents,
  said: string | null,
  about: string,
): Promise<void> {
  expect([old, fresh], about).toContain(contentOf(at.file))
  for (const { how, sentence } of await recoverChanges(at.place, null))
    expect(contentOf(at.file) === fresh, `${about}: ${how}: ${sentence}`).toBe(how === 'applied')
  const now = contentOf(at.file)
  expect([old, fresh], about).toContain(now)
  if (said?.includes('"applied"') === true) expect(now, about).toBe(what === 'undo' ? old : fresh)
  if (said?.includes('"unchanged"') === true) expect(now, about).toBe(what === 'undo' ? fresh : old)
  expect(
    readdirSync(at.live).filter((name) => name.startsWith('.holdfast-')),
    about,
  ).toEqual([])
  expect(await recoverChanges(at.place, null), about).toEqual([])
  const kept = findChanges(at.place)
  if (now === fresh) expect(kept, about).toHaveLength(1)
  for (const { record } of kept)
    for (const [part, content] of Object.entries(readSet(join(at.place.folder, record.change, 'app.db'))))
      expect((content as Buffer).equals(bytes[part as keyof SetBytes] as Buffer), `${about}: kept ${part}`).toBe(true)
}
