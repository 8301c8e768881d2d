/**
 * A run that changes a file is killed (kill -9) at every call that changes names or bytes, and each such call fails once.
 * Afterwards SQLite finds the old content or the new one, row by row; the next run says which, and nothing of ours is
 * left but the kept original.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChanges } from '../../../src/hold/change/recovery/find-changes.ts'
import { recoverChanges } from '../../../src/hold/change/recovery/recover-changes.ts'
import { bytesInState, contentOf, read, write, type LiveBytes, type SetState } from '../../support/hold/changes.ts'
import { repository } from '../../support/processes.ts'
import { straceArguments, whyNotTraced, type Fault } from '../../support/system-calls/strace.ts'

interface Case {
  readonly state: SetState
  readonly method: 'swap' | 'in-place'
  readonly what: 'change' | 'undo'
}

const cases: readonly Case[] = [
  { state: 'wal', method: 'swap', what: 'change' },
  { state: 'wal', method: 'swap', what: 'undo' },
  { state: 'delete-hot', method: 'in-place', what: 'change' },
  { state: 'delete', method: 'in-place', what: 'undo' },
]

const untraced = whyNotTraced()

describe.skipIf(untraced !== null)(
  `a change that breaks off${untraced === null ? '' : ` (skipped: ${untraced})`}`,
  () => {
    let home = ''
    beforeAll(() => {
      home = mkdtempSync(join(tmpdir(), 'holdfast-calls-'))
    })
    afterAll(() => rmSync(home, { recursive: true, force: true }))

    const paths = (name: string) => {
      const folder = join(home, name)
      mkdirSync(join(folder, 'live'), { recursive: true })
      return {
        home: folder,
        live: join(folder, 'live'),
        file: join(folder, 'live', 'app.db'),
        place: { kind: 'quarantine', folder: join(folder, 'quarantine') } as const,
      }
    }

    /** @returns what the program printed; null if it was killed */
    async function run(
      at: ReturnType<typeof paths>,
      { method, what }: Case,
      fault: Fault | null,
    ): Promise<string | null> {
      const program = [process.execPath, 'test/support/programs/changer.ts', what, at.file, at.home, method]
      const [command = '', ...args] =
        fault === null ? program : ['strace', ...straceArguments('/dev/null', fault), ...program]
      const child = spawn(command, args, { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      child.stdout.on('data', (bytes: Buffer) => (said += String(bytes)))
      await new Promise((resolve) => child.once('close', resolve))
      return said === '' ? null : said
    }

    /** The contents before and after, by a run that nothing breaks off. */
    async function bothContents(
      one: Case,
      bytes: LiveBytes,
    ): Promise<{ readonly old: string; readonly fresh: string }> {
      const at = paths('whole')
      write(at.file, bytes)
      const old = contentOf(at.file)
      await run(at, { ...one, what: 'change' }, null)
      const fresh = contentOf(at.file)
      rmSync(at.home, { recursive: true })
      expect(fresh).not.toBe(old)
      return { old, fresh }
    }

    describe.each(cases)('$what of a file in state $state by $method', (one) => {
      const calls = [
        'renameat2',
        'rename',
        'unlink',
        'fsync',
        ...(one.method === 'in-place' ? ['pwrite64', 'ftruncate'] : []),
      ]
      it.each(['signal=SIGKILL', 'error=EIO', 'error=ENOSPC'])(
        'is whole after %s at any call',
        async (what) => {
          const bytes = bytesInState(one.state, 120)
          const { old, fresh } = await bothContents(one, bytes)
          let broken = 0
          for (const call of calls)
            for (let when = 1; when < 80; when += call === 'pwrite64' && when > 6 ? 7 : 1) {
              const at = paths(`${call}-${when}`)
              write(at.file, bytes)
              if (one.what === 'undo') await run(at, { ...one, what: 'change' }, null)
              const kept = one.what === 'undo' ? findChanges(at.place)[0] : undefined
              const said = await run(at, one, { call, what, when, path: null })
              const hit = said === null || !said.includes('"applied"')
              const about = `${call} ${when}: ${said}`
              expect([old, fresh], about).toContain(contentOf(at.file))
              const recovered = await recoverChanges(at.place, null)
              const now = contentOf(at.file)
              expect([old, fresh], about).toContain(now)
              for (const { how, sentence } of recovered)
                expect(now === fresh, `${about}: ${how}: ${sentence}`).toBe(how === 'applied')
              if (said?.includes('"applied"') === true) expect(now, about).toBe(one.what === 'undo' ? old : fresh)
              const left = readdirSync(at.live).filter((name) => name.startsWith('.holdfast-'))
              expect(left, about).toEqual([])
              expect(await recoverChanges(at.place, null), about).toEqual([])
              for (const name of one.what === 'change' && now === fresh ? readdirSync(at.place.folder) : [])
                expectKept(at.place.folder, bytes, name, about)
              if (kept !== undefined) expectKept(at.place.folder, bytes, kept.record.change, about)
              rmSync(at.home, { recursive: true, force: true })
              if (!hit) break
              broken++
            }
          expect(broken).toBeGreaterThan(5)
        },
        600_000,
      )
    })

    function expectKept(quarantine: string, bytes: LiveBytes, change: string, about: string): void {
      for (const [part, content] of Object.entries(bytes))
        expect(readFileSync(join(quarantine, change, `app.db${part}`)).equals(content as Buffer), about).toBe(true)
      expect(Object.keys(read(join(quarantine, change, 'app.db'))).sort()).toEqual(Object.keys(bytes).sort())
    }
  },
)
