/**
 * What a person sees, and what a pipe sees: colours only where they help, silence when asked, nothing cut and no tenant
 * left paused.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { damageIndex, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { resultOf, holdfast, launcher, start } from '../../support/cli/program.ts'
import { escapes, hasScript, onTerminal } from '../../support/cli/pseudo-terminal.ts'
import { openService } from '../../support/cli/service.ts'
import { descendantsOf, eventually, isRunning } from '../../support/processes.ts'

test('a pipe gets whole lines, no escape sequences and no progress', async () => {
  using folder = makeFolder()
  const deep = folder.in(`${'a-long-name-'.repeat(12)} with spaces.db`)
  damageIndex(makeDatabase(deep))
  writeFileSync(folder.in('empty.db'), '')
  makeDatabase(folder.in('sound.db'))
  const { code, stdout, stderr } = await holdfast(['check', folder.path, folder.in('missing.db')])
  expect([code, stderr]).toEqual([2, ''])
  expect(stdout).not.toContain('\u001b')
  const lines = stdout.split('\n')
  expect(lines.filter((line) => line.startsWith(deep))).toEqual([expect.stringMatching(/ DAMAGED +index +- +/)])
  expect(lines).toContain(`DAMAGED (index)  ${deep}`)
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^ {2}what {4}25 rows of notes are missing from index notes_title \(row-missing-from-index\)$/,
    ),
  )
  expect(lines.at(-2)).toBe('4 files: 1 sound, 1 damaged, 1 inconclusive, 1 failed. Exit code 2: damage found.')
})

test('--quiet is silent when all is sound, on both streams, and speaks when something is not', async () => {
  using folder = makeFolder()
  const sound = makeDatabase(folder.in('sound.db'))
  expect(await holdfast(['check', '--quiet', sound])).toEqual({ code: 0, stdout: '', stderr: '' })
  const both = await holdfast(['check', '--quiet', sound, folder.in('missing.db')])
  expect([both.code, both.stderr]).toEqual([1, ''])
  expect(both.stdout).toContain('NOT_FOUND')
})

const [hideCursor, showCursor] = ['\u001b[?25l', '\u001b[?25h']
const color = new RegExp(`${String.fromCodePoint(0x1b)}\\[[0-9;]*m`, 'u')

test.skipIf(!hasScript)(
  'on a terminal there are colours and a live line; NO_COLOR and --quiet are honoured (skipped without script(1))',
  async () => {
    using folder = makeFolder()
    const damaged = makeDatabase(folder.in('damaged.db'))
    damageIndex(damaged)
    const colored = await onTerminal(['check', damaged], { columns: 80 })
    const plain = await onTerminal(['check', damaged], { columns: 80, env: { NO_COLOR: '1' } })
    const quiet = await onTerminal(['check', '--quiet', damaged], { columns: 80, env: { NO_COLOR: '1' } })
    expect(colored).toMatch(color)
    expect(colored).toContain(hideCursor)
    expect(colored).toContain(showCursor)
    expect(plain).toContain(hideCursor)
    expect(plain).not.toMatch(color)
    expect(plain).toContain('DAMAGED')
    expect(quiet).not.toContain('\u001b')
  },
)

test.skipIf(!hasScript)(
  'a long check shows pages, rate and time left on a terminal, within its width, and ' +
    'nothing of it in a pipe or with --quiet (skipped without script(1))',
  async () => {
    using folder = makeFolder()
    const path = folder.in('a-database-that-takes-a-while.db')
    const database = new Database(path)
    database.exec(`PRAGMA page_size=512; PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY;
      CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
    INSERT INTO t SELECT i, zeroblob(400) FROM n`)
    database.close()
    const flags = ['--snapshot', '--workers', '1']
    const calm = { columns: 80, env: { NO_COLOR: '1' }, exitCode: 0 }
    // On a fast machine too: readers are stopped for most of the time until the rate could be seen.
    const shown = await onTerminal(['check', ...flags, path], {
      ...calm,
      meanwhile: async (pid, text) => {
        // Looked for each time: a large file is read by more than one, and they come one after the other.
        const readers = (): readonly number[] =>
          descendantsOf(pid).flatMap((one) => (one.command.includes('reader-child') ? [one.pid] : []))
        const signalReaders = (signal: 'SIGSTOP' | 'SIGCONT'): void =>
          readers().forEach((reader) => {
            if (isRunning(reader)) process.kill(reader, signal)
          })
        await eventually('its reader is there', () => readers().length > 0)
        let pagesShown = false
        try {
          for (let turns = 0; turns < 200 && isRunning(pid) && !/\d MB\/s {2}\d+ s left/.test(text()); turns++) {
            signalReaders('SIGSTOP')
            const before = text().length
            await eventually('the lines are drawn again', () => text().length > before || !isRunning(pid))
            // A rate is shown from one second on: that one passes while few pages are read.
            if (!pagesShown && text().includes(' pages')) {
              pagesShown = true
              await sleep(1_200)
            }
            signalReaders('SIGCONT')
            await sleep(10)
          }
        } finally {
          signalReaders('SIGCONT')
        }
      },
    })
    expect(shown).toMatch(/\d MB\/s {2}\d+ s left/)
    const lines = shown
      .split(escapes)
      .flatMap((piece) => piece.split(/[\r\n]/))
      .filter((line) => line.includes(' pages'))
    const done = lines.flatMap(
      (line) =>
        /checking .*\.db {2}\d+ % {2}([\d,]+) of [\d,]+ pages/
          .exec(line)
          ?.slice(1)
          .map((pages) => Number(pages.replaceAll(',', ''))) ?? [],
    )
    expect(done.length).toBeGreaterThan(3)
    expect(done).toEqual(done.toSorted((a, b) => a - b))
    expect(new Set(done).size).toBeGreaterThan(1)
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    const quiet = await onTerminal(['check', ...flags, '--quiet', path], calm)
    expect(quiet).toBe('')
    const piped = await holdfast(['check', ...flags, path])
    expect([piped.code, piped.stderr]).toEqual([0, ''])
  },
)

test.skipIf(!hasScript)(
  'a terminal with 0 columns gets the report, and no live line that would never end (skipped without script(1))',
  async () => {
    using folder = makeFolder()
    const damaged = makeDatabase(folder.in('damaged.db'))
    damageIndex(damaged)
    const text = await onTerminal(['check', damaged], { columns: 0, env: { NO_COLOR: '1' } })
    expect(text).toMatch(/FILE +VERDICT +DAMAGE[^]*Exit code 2/)
    expect(text.length).toBeLessThan(10_000)
  },
)

test(
  'a closed stdout ends no hold: the sweep goes on to its end, ' +
    'resumes every tenant, and its exit code is the true one',
  async () => {
    await using service = await openService({
      tenants: (data) => Object.fromEntries(['acme', 'bolt', 'crate'].map((id) => [id, `${data}/${id}.db`])),
    })
    for (const flags of [['--json'], ['--verbose']]) {
      service.actions.length = 0
      const program = start(['sweep', ...flags, '--config', service.config])
      program.stdout.destroy()
      const { code, stderr } = await resultWithoutStdout(program)
      expect([code, stderr]).toEqual([0, ''])
      expect(service.actions.filter((action) => action.startsWith('close'))).toHaveLength(3)
      for (const id of ['acme', 'bolt', 'crate']) expect(service.gate.stateOf(id)).toBe('active')
    }
    // A second run finds nothing open: the first had ended all its holds.
    expect((await holdfast(['resume', '--all', '--config', service.config])).stdout).toBe(
      'no tenant is known to be paused (no hold is open)\n',
    )
    expect(readdirSync(service.snapshots)).toEqual([])
  },
)

async function resultWithoutStdout(
  program: ReturnType<typeof start>,
): Promise<{ code: number | null; stderr: string }> {
  let stderr = ''
  program.stderr.on('data', (piece: Buffer) => {
    stderr += piece.toString('utf8')
  })
  const [code] = (await once(program, 'close')) as [number | null]
  return { code, stderr }
}

test('`| head -1` gets its line, and the shell sees the exit code', async () => {
  using folder = makeFolder()
  damageIndex(makeDatabase(folder.in('damaged.db')))
  const check = `'${process.execPath}' '${launcher}' check --verbose '${folder.path}'`
  const script = `${check} | head -1; exit "\${PIPESTATUS[0]}"`
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = await resultOf(child)
  expect([said.code, said.stderr]).toEqual([2, ''])
  expect(said.stdout).toMatch(/^holdfast 0|^FILE/)
})

test('stderr without a reader: logging each step makes no tenant wait', async () => {
  const ids = Array.from({ length: 40 }, (_, i) => `tenant-${i}`)
  await using service = await openService({
    tenants: (data) => Object.fromEntries(ids.map((id) => [id, `${data}/${id}.db`])),
  })
  const script =
    `'${process.execPath}' '${launcher}' sweep --json --depth quick --log-level debug ` +
    `--config '${service.config}' 2> >(read line; echo "$line"; cat > /dev/null)`
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  const { stdout } = await resultOf(child)
  const first = /^\{"at":.*\}$/m.exec(stdout)?.[0]
  expect(JSON.parse(first ?? '{}')).toMatchObject({
    run: expect.any(String) as string,
    tenant: expect.stringMatching(/^tenant-/) as string,
    step: expect.any(String) as string,
  })
  expect(stdout).toContain('"sound": 40')
})

test('log lines carry run, tenant and step, on stderr only (I2.4)', async () => {
  await using service = await openService()
  const { stdout, stderr, code } = await holdfast([
    'sweep',
    '--log-level',
    'debug',
    '--quiet',
    '--config',
    service.config,
  ])
  expect([code, stdout]).toEqual([0, ''])
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { run: string; tenant: string; step: string; at: string })
  expect(new Set(lines.map(({ tenant }) => tenant))).toEqual(new Set(['acme', 'bolt']))
  expect(new Set(lines.map(({ run }) => run)).size).toBe(1)
  const steps = lines.filter(({ tenant }) => tenant === 'acme').map(({ step }) => step)
  expect(
    steps.filter((step) =>
      [
        'asked',
        'quiesced',
        'locked',
        'probed',
        'sealed',
        'proven',
        'copied',
        'proven-again',
        'probed-again',
        'released',
        'resumed',
        'kept',
      ].includes(step),
    ),
  ).toEqual([
    'asked',
    'quiesced',
    'locked',
    'probed',
    'sealed',
    'proven',
    'copied',
    'proven-again',
    'probed-again',
    'released',
    'resumed',
    'kept',
  ])
})
