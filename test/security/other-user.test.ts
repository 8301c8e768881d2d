/**
 * Root runs every command in a folder where another user can write: one like /tmp, one that all users may write, and
 * one of the other user. Meanwhile the other user swaps all names that it can. It must not make us read, write or
 * delete any file of root outside of our folders. Skipped unless root.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitCodes } from '../../src/model/exit-code.ts'
import { resultOf, start, type ProgramResult } from '../support/cli/program.ts'
import { repository } from '../support/processes.ts'
import { modes, openSharedFolder, secret, stateOf, attackingUser, type SharedFolder } from '../support/shared-folder.ts'

const program = `${repository}test/support/programs/attacker.ts`
/** The other user must be able to read Node and this repository. */
const canAttack =
  process.getuid?.() === 0 && spawnSync(process.execPath, ['--check', program], attackingUser).status === 0

const commandMsMax = 60_000

interface Attack {
  /** Ends the attack. `found`: paths at which the other user could read the secret of root. */
  end(): Promise<{ readonly swaps: number; readonly found: readonly string[] }>
}

async function startAttack({ path, victim }: SharedFolder): Promise<Attack> {
  const options = JSON.stringify({ places: [path], victim, secret })
  const spawnOptions = { ...attackingUser, cwd: '/', env: {} }
  const attacker = spawn(process.execPath, [program, options], { ...spawnOptions, stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  const closed = new Promise<void>((resolve) => {
    attacker.once('close', () => resolve())
  })
  await new Promise<void>((resolve) => {
    attacker.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString()
      resolve()
    })
  })
  return {
    end: async () => {
      attacker.stdin.end()
      await closed
      return JSON.parse(output.split('\n')[1] ?? '') as { swaps: number; found: string[] }
    },
  }
}

/** Runs as root, in the shared folder and with it as TMPDIR. The code is null if the command took too long. */
async function run({ path }: SharedFolder, args: readonly string[]): Promise<ProgramResult> {
  const child = start(args, { cwd: path, env: { TMPDIR: path } })
  const timer = setTimeout(() => child.kill('SIGKILL'), commandMsMax)
  const ran = await resultOf(child)
  clearTimeout(timer)
  return ran
}

/** Every command, on files in the shared folder and with a configuration that the other user cannot change. */
function commandsIn({ path, config }: SharedFolder): readonly (readonly string[])[] {
  const at = (name: string): string => join(path, name)
  const safe = ['--config', config('safe')]
  return [
    ['check', '--keep-snapshot', at('kept'), 'app.db'],
    ['check', '--ledger', at('ledger'), '--snapshots', at('snapshots'), 'app.db'],
    ['check', '--snapshot', path],
    ['compare', './app.db', './copy.db'],
    ['holders', 'app.db'],
    ['explain', 'IN_USE'],
    ['sweep'],
    ['status'],
    ['sweep', ...safe],
    ['check', '--tenant', 'acme', ...safe],
    ['pull', 'acme', at('pulled'), ...safe],
    ['doctor', ...safe],
    ['status', ...safe],
    ['status', '--output', at('status'), ...safe],
    ['status', '--output', at('holdfast-fifo/status'), ...safe],
    ['history', ...safe],
    ['resume', '--all', ...safe],
    ['sweep', '--config', config('snapshots', { snapshots: { dir: at('snapshots') } })],
    ['sweep', '--config', config('ledger', { ledger: { dir: at('ledger') } })],
  ]
}

const folderKinds = Object.keys(modes) as (keyof typeof modes)[]

const title = 'in a folder that is %s, another user can make root touch nothing outside (skipped unless root)'

test.skipIf(!canAttack).each(folderKinds)(title, async (kind) => {
  using shared = openSharedFolder(kind)
  const before = stateOf(shared.victim)
  const attack = await startAttack(shared)
  const codes = new Map<string, number | null>()
  const wrong: unknown[] = []
  for (const args of commandsIn(shared)) {
    const ran = await run(shared, args)
    codes.set(args.join(' '), ran.code)
    if (ran.code === null || ran.code === exitCodes.bug) wrong.push({ args, ...ran })
  }
  const { swaps, found } = await attack.end()
  expect(wrong).toEqual([])
  expect(stateOf(shared.victim)).toEqual(before)
  expect(found).toEqual([])
  expect(swaps > 0).toBe(kind !== 'sticky')
  expect(readdirSync(join(shared.path, 'holdfast-old/d'))).toEqual(['file'])
  expect(readdirSync(join(shared.path, '.holdfast-doctor-1'))).toEqual(['owner'])
  // The configuration in the shared folder is refused, and none of its commands was run.
  for (const command of ['sweep', 'status']) expect(codes.get(command)).toBe(exitCodes.configuration)
  expect(existsSync(shared.pwned)).toBe(false)
  // If names cannot be swapped, every command works as usual.
  const sound = [...codes].filter(([args]) => /^(check|compare|pull|doctor)/.test(args)).map(([, code]) => code)
  if (kind === 'sticky') expect(new Set(sound)).toEqual(new Set([exitCodes.sound]))
})
