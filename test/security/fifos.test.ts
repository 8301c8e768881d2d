/**
 * A FIFO in the place of each file that holdfast reads by name: nothing waits for it, and what it stands for is
 * refused by name.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder, type Folder } from '../support/cli/folder.ts'
import { ending, launcher, start, type Ran } from '../support/cli/program.ts'

const waitMsMax = 20_000

/** @throws when it does not end by itself */
async function run(folder: Folder, args: readonly string[]): Promise<Ran> {
  const child = start(args, { cwd: folder.path, env: { TMPDIR: folder.path } })
  const timer = setTimeout(() => child.kill('SIGKILL'), waitMsMax)
  const ran = await ending(child)
  clearTimeout(timer)
  if (ran.code === null) throw new Error(`holdfast ${args.join(' ')} waits for a FIFO`)
  return ran
}

function layFifo(path: string): void {
  execFileSync('mkfifo', [path])
  chmodSync(path, 0o600)
}

/** A configuration of a service that nobody runs. */
function configure(folder: Folder, service: object = {}): void {
  if (!existsSync(folder.in('token'))) writeFileSync(folder.in('token'), 'secret', { mode: 0o600 })
  const said = {
    service: { name: 'notes', admin: 'https://127.0.0.1:1', tokenFile: 'token', ...service },
    tenants: { roots: [folder.path] },
    snapshots: { dir: folder.in('snapshots') },
    ledger: { dir: folder.in('ledger') },
  }
  writeFileSync(folder.in('holdfast.yaml'), JSON.stringify(said), { mode: 0o600 })
}

/** Lays the FIFO. @returns what is then asked of holdfast */
type Lay = (folder: Folder) => readonly string[]

const cases: readonly (readonly [what: string, lay: Lay, said: RegExp, code: number])[] = [
  [
    'the owner file of an abandoned folder of ours',
    (folder) => {
      mkdirSync(folder.in('holdfast-x'), { mode: 0o700 })
      layFifo(folder.in('holdfast-x/owner'))
      return ['check', 'app.db']
    },
    /app\.db +sound/,
    0,
  ],
  [
    'the WAL of a private copy',
    (folder) => {
      layFifo(folder.in('app.db-wal'))
      return ['check', '--snapshot', 'app.db']
    },
    /NOT_A_FILE: .*app\.db-wal is not a regular file/,
    1,
  ],
  [
    'the journal of a private copy',
    (folder) => {
      layFifo(folder.in('app.db-journal'))
      return ['check', '--snapshot', 'app.db']
    },
    /NOT_A_FILE: .*app\.db-journal is not a regular file/,
    1,
  ],
  [
    'the manifest of a private copy',
    (folder) => {
      layFifo(folder.in('manifest.json'))
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
      layFifo(folder.in('kept/named'))
      return ['check', '--snapshot', 'kept/app.db']
    },
    /app\.db +sound/,
    0,
  ],
  [
    'the configuration',
    (folder) => {
      layFifo(folder.in('holdfast.yaml'))
      return ['sweep']
    },
    /CONFIG_INVALID: .*holdfast\.yaml: is not a regular file/,
    78,
  ],
  [
    'the token',
    (folder) => {
      layFifo(folder.in('token'))
      configure(folder)
      return ['sweep']
    },
    /CONFIG_INVALID: the token file .*token is not a regular file/,
    78,
  ],
  [
    'the certificates',
    (folder) => {
      layFifo(folder.in('ca.pem'))
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
      layFifo(folder.in('ledger/run-notes.json'))
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
      layFifo(folder.in('ledger/ledger.db'))
      return ['status']
    },
    /LEDGER_UNUSABLE: .*ledger\.db is not a file with one name/,
    1,
  ],
]

test.each(cases)('%s', async (_, lay, said, code) => {
  using folder = makeFolder()
  makeDatabase(join(folder.path, 'app.db'))
  const ran = await run(folder, lay(folder))
  expect((ran.stdout + ran.stderr).replaceAll(/\s+/g, ' ')).toMatch(said)
  expect(ran.code).toBe(code)
})
