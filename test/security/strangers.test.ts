/**
 * Root at work where another user can write: every command, in a folder like /tmp, in one that everybody may write, and in one of that user's own. The other
 * user swaps all names that it can meanwhile. Nothing of root's outside of our folders may be read, written or deleted. Skipped unless root.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { exitCodes } from '../../src/model/exit-code.ts'
import { ending, start, type Ran } from '../cli/program.ts'
import { makeDatabase } from '../cli/folder.ts'
import { repository } from '../support/processes.ts'

const stranger = 65_534 // The user that our own readers become: the nearest that one can come.
const program = `${repository}test/security/programs/attacker.ts`
/** Node and this repository must be within the other user's reach. */
const canAttack = process.getuid?.() === 0 && spawnSync(process.execPath, ['--check', program], { uid: stranger, gid: stranger }).status === 0

const secret = 'for-the-eyes-of-root-only'
const commandMsMax = 60_000

type Place = 'sticky' | 'open' | 'theirs'
const modes = { sticky: 0o1777, open: 0o777, theirs: 0o755 } as const satisfies Record<Place, number>

interface Scene extends Disposable {
  readonly place: string
  readonly safe: string
  readonly victim: string
  /** Exists once a command of the other user was run as root. */
  readonly pwned: string
  config(name: string, settings?: Readonly<Record<string, object>>): string
}

function setScene(kind: Place): Scene {
  const top = mkdtempSync(join(tmpdir(), 'strangers-'))
  chmodSync(top, 0o755)
  const [place, safe, victim, pwned] = ['place', 'safe', 'victim', 'pwned'].map((name) => join(top, name)) as [string, string, string, string]
  mkdirSync(place)
  chmodSync(place, modes[kind])
  if (kind === 'theirs') chownSync(place, stranger, stranger)
  mkdirSync(safe, { mode: 0o755 })
  mkdirSync(victim, { mode: 0o755 })
  for (const name of ['owner', 'snapshot.db', 'specimen.db', 'manifest.json', 'results', 'ledger.db', 'file']) writeFileSync(join(victim, name), secret, { mode: 0o600 })
  mkdirSync(join(victim, 'folder'))
  writeFileSync(join(victim, 'folder/file'), secret, { mode: 0o640 })
  for (const path of [join(victim, 'app.db'), join(place, 'app.db'), join(place, 'copy.db'), join(place, 'acme.db')]) makeSecretDatabase(path)
  layTraps(place, pwned)
  const ctl = join(safe, 'ctl')
  writeFileSync(ctl, `#!/bin/sh\n[ "$1" = tenants ] && echo '[{"id":"acme","files":["${place}/acme.db"]}]'\nexit 0\n`, { mode: 0o755 })
  return {
    place, safe, victim, pwned,
    config: (name, settings = {}) => {
      const path = join(safe, `${name}.yaml`)
      const hooks = { tenants: [ctl, 'tenants'], quiesce: [ctl, 'pause', '{tenant}'], resume: [ctl, 'resume', '{tenant}'] }
      writeFileSync(path, JSON.stringify({ service: { name, hooks }, tenants: { roots: [place] }, snapshots: { dir: join(safe, 'snapshots') }, ledger: { dir: join(safe, 'ledger') }, ...settings }), { mode: 0o600 })
      return path
    },
    [Symbol.dispose]: () => rmSync(top, { recursive: true }),
  }
}

function makeSecretDatabase(path: string): void {
  makeDatabase(path)
  const database = new Database(path)
  database.prepare('INSERT INTO notes(title, body) VALUES(?, ?)').run(secret, secret)
  database.close()
  chmodSync(path, 0o600)
}

/** What the other user left there before: an owner file that never ends, folders that look abandoned, and a configuration of its own. */
function layTraps(place: string, pwned: string): void {
  const yaml = JSON.stringify({ service: { name: 'x', hooks: { tenants: ['/usr/bin/touch', pwned], quiesce: ['/usr/bin/touch', pwned, '{tenant}'], resume: ['/usr/bin/touch', pwned, '{tenant}'] } }, tenants: { roots: ['/'] } })
  const script = `cd "$1" && umask 022 && mkdir holdfast-fifo holdfast-old holdfast-old/d .holdfast-doctor-1 && mkfifo holdfast-fifo/owner && echo 999999-1 > holdfast-old/owner && touch holdfast-old/d/file &&
    echo '{"schema":"holdfast.owner/1","locked":true,"pid":999999,"startTime":"1","bootId":"x","pidNamespace":"x"}' > .holdfast-doctor-1/owner && chmod 700 .holdfast-doctor-1 && printf %s "$2" > holdfast.yaml`
  expect(spawnSync('sh', ['-c', script, 'sh', place, yaml], { uid: stranger, gid: stranger, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
}

/** All that lies in a folder, with owners, modes, times of change and content. */
function stateOf(folder: string): readonly string[] {
  return [folder, ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))].toSorted().map((path) => {
    const { ino, uid, gid, mode, nlink, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return [path, ino, uid, gid, mode.toString(8), nlink, mtimeNs, ctimeNs, statSync(path).isFile() ? readFileSync(path, 'base64') : ''].join(' ')
  })
}

interface Attack {
  /** Ends it. */
  end(): Promise<{ readonly swaps: number; readonly found: readonly string[] }>
}

async function beginAttack({ place, victim }: Scene): Promise<Attack> {
  const attacker = spawn(process.execPath, [program, JSON.stringify({ places: [place], victim, secret })], { uid: stranger, gid: stranger, cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  const closed = new Promise<void>((resolve) => { attacker.once('close', () => resolve()) })
  await new Promise<void>((resolve) => attacker.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString()
    resolve()
  }))
  return {
    end: async () => {
      attacker.stdin.end()
      await closed
      return JSON.parse(said.split('\n')[1] ?? '') as { swaps: number; found: string[] }
    },
  }
}

/** By root, with the shared folder as current folder and as TMPDIR. Killed, and without a code, when it takes too long. */
async function run(scene: Scene, args: readonly string[]): Promise<Ran> {
  const child = start(args, { cwd: scene.place, env: { TMPDIR: scene.place } })
  const timer = setTimeout(() => child.kill('SIGKILL'), commandMsMax)
  const ran = await ending(child)
  clearTimeout(timer)
  return ran
}

/** Every command once with what lies there, and those that work for a service with a configuration that is out of the other user's reach. */
function commandsFor({ place, config }: Scene): readonly (readonly string[])[] {
  const at = (name: string): string => join(place, name)
  const safe = ['--config', config('safe')]
  return [
    ['check', '--keep-snapshot', at('kept'), 'app.db'], ['check', '--ledger', at('ledger'), '--snapshots', at('snapshots'), 'app.db'], ['check', '--snapshot', place], ['compare', './app.db', './copy.db'],
    ['sweep'], ['status'], ['holders', 'app.db'], ['explain', 'IN_USE'],
    ['sweep', ...safe], ['check', '--tenant', 'acme', ...safe], ['pull', 'acme', at('pulled'), ...safe], ['doctor', ...safe], ['status', ...safe], ['history', ...safe], ['resume', '--all', ...safe],
    ['sweep', '--config', config('snapshots', { snapshots: { dir: at('snapshots') } })], ['sweep', '--config', config('ledger', { ledger: { dir: at('ledger') } })],
  ]
}

test.skipIf(!canAttack).each(['sticky', 'open', 'theirs'] as const)('beside another user who swaps names, nothing of root\u2019s outside is touched: in a place that is %s (skipped unless root)', async (kind) => {
  using scene = setScene(kind)
  const victim = stateOf(scene.victim)
  const attack = await beginAttack(scene)
  const codes: Record<string, number | null> = {}
  const wrong: unknown[] = []
  for (const args of commandsFor(scene)) {
    const ran = await run(scene, args)
    codes[args.join(' ').replaceAll(scene.place, 'P').replaceAll(scene.safe, 'S')] = ran.code
    if (ran.code === null || ran.code === exitCodes.bug) wrong.push({ args, ...ran })
  }
  const { swaps, found } = await attack.end()
  expect(wrong).toEqual([])
  expect(stateOf(scene.victim)).toEqual(victim)
  expect(found).toEqual([])
  expect(existsSync(scene.pwned)).toBe(false)
  expect(swaps > 0).toBe(kind !== 'sticky')
  expect(readdirSync(join(scene.place, 'holdfast-old/d'))).toEqual(['file'])
  expect(readdirSync(join(scene.place, '.holdfast-doctor-1'))).toEqual(['owner'])
  expect(codes).toMatchObject({ sweep: exitCodes.configuration, status: exitCodes.configuration, 'explain IN_USE': 0 }) // The configuration there is refused by name, and nothing else is taken.
  if (process.env['SHOW']) console.log(kind, swaps, codes)
}, 240_000)
