/**
 * A folder in which another user can write. It has databases of root and traps of the other user. Files of root in
 * another folder must stay as they are.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import { makeDatabase } from './cli/folder.ts'

/** The user as which our readers run: of all users it is the nearest to them. */
export const attackingUser = { uid: 65_534, gid: 65_534 }
export const secret = 'for-the-eyes-of-root-only'

export const modes = { sticky: 0o1777, open: 0o777, theirs: 0o755 } as const

export interface SharedFolder extends Disposable {
  readonly path: string
  readonly victim: string
  /** Exists if root has run a command of the other user. */
  readonly pwned: string
  /** Writes a configuration that the other user cannot change, for tenants in the shared folder. */
  readonly config: (name: string, settings?: Readonly<Record<string, object>>) => string
}

export function openSharedFolder(kind: keyof typeof modes): SharedFolder {
  const top = mkdtempSync(join(tmpdir(), 'other-user-'))
  chmodSync(top, 0o755)
  const path = join(top, 'shared')
  mkdirSync(path)
  chmodSync(path, modes[kind])
  if (kind === 'theirs') chownSync(path, attackingUser.uid, attackingUser.gid)
  const safe = join(top, 'safe')
  mkdirSync(safe)
  const victim = join(top, 'victim')
  makeVictim(victim)
  for (const name of ['app.db', 'copy.db', 'acme.db']) makeSecretDatabase(join(path, name))
  const pwned = join(top, 'pwned')
  makeTraps(path, pwned)
  const program = join(safe, 'ctl')
  const listed = JSON.stringify([{ id: 'acme', files: [join(path, 'acme.db')] }])
  writeFileSync(program, `#!/bin/sh\n[ "$1" = tenants ] && echo '${listed}'\nexit 0\n`, { mode: 0o755 })
  return {
    path,
    victim,
    pwned,
    config: (name, settings = {}) => {
      const file = join(safe, `${name}.yaml`)
      const folders = { snapshots: { dir: join(safe, 'snapshots') }, ledger: { dir: join(safe, 'ledger') } }
      const sections = { service: { name, hooks: hooksOf([program]) }, tenants: { roots: [path] }, ...folders }
      writeFileSync(file, JSON.stringify({ ...sections, ...settings }), { mode: 0o600 })
      return file
    },
    [Symbol.dispose]: () => rmSync(top, { recursive: true }),
  }
}

const hooksOf = (command: readonly string[]): object => ({
  tenants: [...command, 'tenants'],
  quiesce: [...command, 'pause', '{tenant}'],
  resume: [...command, 'resume', '{tenant}'],
})

/** Files of root with names that holdfast uses in its own folders. */
function makeVictim(path: string): void {
  mkdirSync(join(path, 'folder'), { recursive: true })
  for (const name of ['owner', 'snapshot.db', 'test.db', 'manifest.json', 'results', 'ledger.db', 'folder/file']) {
    writeFileSync(join(path, name), secret, { mode: 0o600 })
  }
  makeSecretDatabase(join(path, 'app.db'))
}

function makeSecretDatabase(path: string): void {
  makeDatabase(path)
  const database = new Database(path)
  database.prepare('INSERT INTO notes(title, body) VALUES(?, ?)').run(secret, secret)
  database.close()
  chmodSync(path, 0o600)
}

const traps = `
cd "$1" && umask 022
mkdir holdfast-fifo holdfast-old holdfast-old/d .holdfast-doctor-1
mkfifo holdfast-fifo/owner
echo 999999-1 > holdfast-old/owner
touch holdfast-old/d/file
printf %s "$2" > .holdfast-doctor-1/owner && chmod 700 .holdfast-doctor-1
printf %s "$3" > holdfast.yaml
`

/** An owner file that is a FIFO, folders that look abandoned, and a configuration whose commands must never run. */
function makeTraps(folder: string, pwned: string): void {
  const process = { pid: 999_999, startTime: '1', bootId: 'x', pidNamespace: 'x' }
  const gone = { schema: 'holdfast.owner/1', locked: true, ...process }
  const config = {
    service: { name: 'x', hooks: hooksOf(['/usr/bin/touch', pwned]) },
    tenants: { roots: ['/'] },
    ledger: { dir: join(folder, 'x', 'ledger') },
    snapshots: { dir: join(folder, 'x', 'snapshots') },
  }
  const args = ['-c', traps, 'sh', folder, JSON.stringify(gone), JSON.stringify(config)]
  expect(spawnSync('sh', args, { ...attackingUser, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
}

/** Everything in a folder, with owners, modes, times and content. */
export function stateOf(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  return ['.', ...names].map((name) => {
    const path = join(folder, name)
    const { ino, uid, gid, mode, nlink, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    const content = statSync(path).isFile() ? readFileSync(path, 'base64') : ''
    return [name, ino, uid, gid, mode.toString(8), nlink, mtimeNs, ctimeNs, content].join(' ')
  })
}
