/**
 * Root at work where another user can write: every command, in a folder like /tmp, in one that everybody may write, and
 * in one of that user's own. The other user swaps all names that it can meanwhile. Nothing of root's outside of our
 * folders may be read, written or deleted. Skipped unless root.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitCodes } from '../../src/model/exit-code.ts'
import { ending, start, type Ran } from '../support/cli/program.ts'
import { repository } from '../support/processes.ts'
import { kinds, openSharedPlace, secret, stateOf, stranger, type SharedPlace } from '../support/shared-place.ts'

const program = `${repository}test/support/programs/attacker.ts`
/** Node and this repository must be within the other user's reach. */
const canAttack = process.getuid?.() === 0 && spawnSync(process.execPath, ['--check', program], stranger).status === 0

const commandMsMax = 60_000

interface Attack {
  /** Ends it. `found`: where it could read what only root may. */
  end(): Promise<{ readonly swaps: number; readonly found: readonly string[] }>
}

async function beginAttack({ path, victim }: SharedPlace): Promise<Attack> {
  const asked = JSON.stringify({ places: [path], victim, secret })
  const surroundings = { ...stranger, cwd: '/', env: {} }
  const attacker = spawn(process.execPath, [program, asked], { ...surroundings, stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  const closed = new Promise<void>((resolve) => {
    attacker.once('close', () => resolve())
  })
  await new Promise<void>((resolve) => {
    attacker.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString()
      resolve()
    })
  })
  return {
    end: async () => {
      attacker.stdin.end()
      await closed
      return JSON.parse(said.split('\n')[1] ?? '') as { swaps: number; found: string[] }
    },
  }
}

/** By root, with the shared folder as current folder and as TMPDIR. Without a code when it took too long. */
async function run({ path }: SharedPlace, args: readonly string[]): Promise<Ran> {
  const child = start(args, { cwd: path, env: { TMPDIR: path } })
  const timer = setTimeout(() => child.kill('SIGKILL'), commandMsMax)
  const ran = await ending(child)
  clearTimeout(timer)
  return ran
}

/** Every command with what lies there, and with a configuration that is out of the other user's reach. */
function commandsIn({ path, config }: SharedPlace): readonly (readonly string[])[] {
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

const places = Object.keys(kinds) as (keyof typeof kinds)[]

const about = 'beside another user in a place that is %s, nothing outside is touched (skipped unless root)'

test.skipIf(!canAttack).each(places)(
  about,
  async (kind) => {
    using place = openSharedPlace(kind)
    const before = stateOf(place.victim)
    const attack = await beginAttack(place)
    const codes = new Map<string, number | null>()
    const wrong: unknown[] = []
    for (const args of commandsIn(place)) {
      const ran = await run(place, args)
      codes.set(args.join(' '), ran.code)
      if (ran.code === null || ran.code === exitCodes.bug) wrong.push({ args, ...ran })
    }
    const { swaps, found } = await attack.end()
    expect(wrong).toEqual([])
    expect(stateOf(place.victim)).toEqual(before)
    expect(found).toEqual([])
    expect(swaps > 0).toBe(kind !== 'sticky')
    expect(readdirSync(join(place.path, 'holdfast-old/d'))).toEqual(['file'])
    expect(readdirSync(join(place.path, '.holdfast-doctor-1'))).toEqual(['owner'])
    // The configuration there is refused by name, and none of its commands was run.
    for (const command of ['sweep', 'status']) expect(codes.get(command)).toBe(exitCodes.configuration)
    expect(existsSync(place.pwned)).toBe(false)
    // Where names cannot be swapped, all is as anywhere.
    const sound = [...codes].filter(([args]) => /^(check|compare|pull|doctor)/.test(args)).map(([, code]) => code)
    if (kind === 'sticky') expect(new Set(sound)).toEqual(new Set([exitCodes.sound]))
  },
  240_000,
)
