/** A FIFO in place of each file that holdfast reads by name: holdfast never waits for it, and reports its name. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder, type Folder } from '../support/cli/folder.ts'
import { resultOf, launcher, start, type ProgramResult } from '../support/cli/program.ts'

const waitMsMax = 20_000

/** @throws if holdfast does not end by itself */
async function run(folder: Folder, args: readonly string[]): Promise<ProgramResult> {
  const child = start(args, { cwd: folder.path, env: { TMPDIR: folder.path } })
  const timer = setTimeout(() => child.kill('SIGKILL'), waitMsMax)
  const ran = await resultOf(child)
  clearTimeout(timer)
  if (ran.code === null) throw new Error(`holdfast ${args.join(' ')} waits for a FIFO`)
  return ran
}

function makeFifo(path: string): void {
  execFileSync('mkfifo', [path])
  chmodSync(path, 0o600)
}

/** Writes a configuration of a service that does not run. */
function configure(folder: Folder, service: object = {}): void {
  if (!existsSync(folder.in('token'))) writeFileSync(folder.in('token'), 'secret', { mode: 0o600 })
  const settings = {
    service: { name: 'notes', admin: 'https://127.0.0.1:1', tokenFile: 'token', ...service },
    tenants: { roots: [folder.path] },
    snapshots: { dir: folder.in('snapshots') },
    ledger: { dir: folder.in('ledger') },
  }
  writeFileSync(folder.in('holdfast.yaml'), JSON.stringify(settings), { mode: 0o600 })
}

/** Makes the FIFO. @returns the arguments of holdfast */
type Prepare = (folder: Folder) => readonly string[]

const cases: readonly (readonly [what: string, prepare: Prepare, expected: RegExp, code: number])[] = [
  [
    'the owner file of an abandoned run folder',
    (folder) => {
      mkdirSync(folder.in('holdfast-x'), { mode: 0o700 })
      makeFifo(folder.in('holdfast-x/owner'))
      return ['check', 'app.db']
    },
    /app\.db +sound/,
    0,
  ],
  [
    'the WAL of a private copy',
    (folder) => {
      makeFifo(folder.in('app.db-wal'))
      return ['check', '--snapshot', 'app.db']
    },
    /NOT_A_FILE: .*app\.db-wal is not a regular file/,
    1,
  ],
  [
    'the journal of a private copy',
    (folder) => {
      makeFifo(folder.in('app.db-journal'))
      return ['check', '--snapshot', 'app.db']
    },
    /NOT_A_FILE: .*app\.db-journal is not a regular file/,
    1,
  ],
  [
    'the manifest of a private copy',
    (folder) => {
      makeFifo(folder.in('manifest.json'))
      return ['check', '--snapshot', 'app.db']
    },
    /app\.db +sound/,
    0,
  ],
  [
    'a file that a manifest names',
    (folder) => {
      const path = folder.in('kept/manifest.json')
      const args = [launcher, 'check', '--quiet', '--keep-snapshot', folder.in('kept'), folder.in('app.db')]
      execFileSync(process.execPath, args, { stdio: 'ignore', env: { TMPDIR: folder.path } })
      const manifest = JSON.parse(readFileSync(path, 'utf8')) as { readonly files: readonly object[] }
      const named = { name: 'named', bytes: 0, sha256: '0'.repeat(64) }
      writeFileSync(path, JSON.stringify({ ...manifest, files: [...manifest.files, named] }))
      makeFifo(folder.in('kept/named'))
      return ['check', '--snapshot', 'kept/app.db']
    },
    /app\.db +sound/,
    0,
  ],
  [
    'the configuration',
    (folder) => {
      makeFifo(folder.in('holdfast.yaml'))
      return ['sweep']
    },
    /CONFIG_INVALID: .*holdfast\.yaml: is not a regular file/,
    78,
  ],
  [
    'the token',
    (folder) => {
      makeFifo(folder.in('token'))
      configure(folder)
      return ['sweep']
    },
    /CONFIG_INVALID: the token file .*token is not a regular file/,
    78,
  ],
  [
    'the certificates',
    (folder) => {
      makeFifo(folder.in('ca.pem'))
      configure(folder, { caFile: 'ca.pem' })
      return ['sweep']
    },
    /CONFIG_INVALID: the certificates in service\.caFile .* \(it is not a regular file\)/,
    78,
  ],
  [
    'the note of the run lock',
    (folder) => {
      configure(folder)
      mkdirSync(folder.in('ledger'), { mode: 0o700 })
      makeFifo(folder.in('ledger/run-notes.json'))
      return ['sweep']
    },
    /LEDGER_UNUSABLE: cannot open the run lock .*: it is not a regular file/,
    1,
  ],
  [
    'the ledger',
    (folder) => {
      configure(folder)
      mkdirSync(folder.in('ledger'), { mode: 0o700 })
      makeFifo(folder.in('ledger/ledger.db'))
      return ['status']
    },
    /LEDGER_UNUSABLE: .*ledger\.db is not a file with one name/,
    1,
  ],
]

test.each(cases)('%s', async (_, prepare, expected, code) => {
  using folder = makeFolder()
  makeDatabase(join(folder.path, 'app.db'))
  const ran = await run(folder, prepare(folder))
  expect((ran.stdout + ran.stderr).replaceAll(/\s+/g, ' ')).toMatch(expected)
  expect(ran.code).toBe(code)
})
