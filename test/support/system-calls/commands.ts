/** The commands whose calls fail, each with what it needs. */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { descendantsOf, eventually, repository, startProgram } from '../../support/processes.ts'
import type { Role } from './injection.ts'
import type { Place } from './place.ts'
import { makeLauncher } from './programs.ts'
import type { Fault } from './strace.ts'

export interface TriedCommand {
  readonly name: string
  args(place: Place): readonly string[]
  /** Programs that it starts. */
  readonly roles: readonly Role[]
  /** How it ends when nothing fails. */
  readonly code: number
  /** What it asks: files, the service by its API, the service by commands, or nothing. */
  readonly asks: 'files' | 'service' | 'hooks' | 'nothing'
  /**
   * `swept`: the ledger is as a sweep left it. `paused`: a run and its guardian were killed in the middle of a hold.
   */
  readonly before?: 'swept' | 'paused'
  /** Codes it may end with, where they are not those of most commands. */
  readonly codes?: readonly number[]
  /** Where the command itself is killed: its guardian ends the hold. */
  readonly dies?: Fault
}

const program = join(repository, 'bin/holdfast.js')
const config = ({ service }: Place): readonly string[] => ['--config', service.config]
const atTheCopy = { call: 'copy_file_range', when: 1, path: null } as const

const children: readonly Role[] = ['main', 'probe', 'guardian', 'reader']

const ofFiles: readonly TriedCommand[] = [
  { name: 'check', args: (place) => ['check', place.in('files'), '--json'], roles: children, code: 2, asks: 'files' },
  {
    name: 'check-sound',
    args: (place) => ['check', place.in('files/wal.db')],
    roles: ['main', 'reader'],
    code: 0,
    asks: 'files',
  },
  {
    name: 'check-copies',
    args: (place) => ['check', '--snapshot', place.in('files'), '--json'],
    roles: ['main', 'reader'],
    code: 2,
    asks: 'files',
  },
  {
    name: 'check-remembered',
    args: (place) => ['check', place.in('files/plain.db'), '--ledger', place.in('ledger'), '--json'],
    roles: ['main', 'ledger'],
    code: 0,
    asks: 'files',
  },
  {
    name: 'compare',
    args: (place) => ['compare', place.in('files/plain.db'), place.in('files/wal.db'), '--json'],
    roles: ['main', 'reader'],
    code: 5,
    asks: 'files',
  },
  // 3 also when nothing fails: a process of the tracer may not be looked into.
  {
    name: 'holders',
    args: (place) => ['holders', place.in('files/plain.db')],
    roles: ['main'],
    code: 3,
    asks: 'files',
    codes: [1, 3],
  },
]

const ofService: readonly Omit<TriedCommand, 'asks'>[] = [
  {
    name: 'check-tenant',
    args: (place) => ['check', '--tenant', 'acme', '--json', ...config(place)],
    roles: [...children, 'ledger'],
    code: 0,
  },
  { name: 'sweep', args: (place) => ['sweep', ...config(place)], roles: ['main', 'ledger'], code: 0, before: 'swept' },
  {
    name: 'resume',
    args: (place) => ['resume', '--all', ...config(place)],
    roles: ['main', 'ledger'],
    code: 0,
    before: 'paused',
  },
  {
    name: 'next-run',
    args: (place) => ['check', '--tenant', 'bolt', '--json', ...config(place)],
    roles: ['main'],
    code: 0,
    before: 'paused',
  },
  {
    name: 'killed',
    args: (place) => ['check', '--tenant', 'acme', ...config(place)],
    roles: ['guardian', 'resume'],
    code: 0,
    dies: { ...atTheCopy, what: 'signal=SIGKILL' },
  },
  {
    name: 'status',
    args: (place) => ['status', ...config(place)],
    roles: ['main', 'ledger'],
    code: 0,
    before: 'swept',
  },
  {
    name: 'status-nagios',
    args: (place) => ['status', '--format', 'nagios', ...config(place)],
    roles: ['main', 'ledger'],
    code: 0,
    before: 'swept',
    codes: [0, 3],
  },
  // 64: where there seems to be no ledger, it knows no tenant.
  {
    name: 'history',
    args: (place) => ['history', 'acme', '--json', ...config(place)],
    roles: ['main', 'ledger'],
    code: 0,
    before: 'swept',
    codes: [0, 1, 64, 78],
  },
  {
    name: 'pull',
    args: (place) => ['pull', 'acme', place.in('pulled'), ...config(place)],
    roles: ['main', 'reader', 'ledger'],
    code: 0,
  },
  { name: 'doctor', args: (place) => ['doctor', ...config(place)], roles: children, code: 0 },
]

export const commands: readonly TriedCommand[] = [
  ...ofFiles,
  ...ofService.map((command) => ({ ...command, asks: 'service' as const })),
  {
    name: 'sweep-hooks',
    args: (place) => ['sweep', '--json', '--config', place.hooked.config],
    roles: [...children, 'ledger'],
    code: 0,
    asks: 'hooks',
  },
  { name: 'explain', args: () => ['explain', 'IN_USE'], roles: ['main'], code: 0, asks: 'nothing' },
]

export function commandNamed(name: string): TriedCommand {
  const command = commands.find((one) => one.name === name)
  if (!command) throw new Error(`no command is called ${name}`)
  return command
}

/** Before each trial: folders are empty, the ledger and the tenants are as the command expects them. */
export async function prepare(command: TriedCommand, place: Place): Promise<void> {
  for (const name of ['tmp', 'pulled', 'ledger', 'traced']) rmSync(place.in(name), { recursive: true, force: true })
  for (const name of ['tmp', 'ledger']) mkdirSync(place.in(name), { mode: 0o700 })
  if (command.asks === 'hooks') emptyLedger(place.hooked.ledger)
  if (command.asks !== 'service') return
  emptyLedger(place.service.ledger)
  if (command.before === 'swept') await restoreSwept(place)
  if (command.before === 'paused') await leavePaused(place)
}

function emptyLedger(ledger: string): void {
  rmSync(ledger, { recursive: true, force: true })
  mkdirSync(ledger, { mode: 0o700 })
}

/** A sweep is made once for each place. */
async function restoreSwept(place: Place): Promise<void> {
  const { ledger } = place.service
  const saved = place.in('swept')
  if (!existsSync(saved)) {
    const args = [program, 'sweep', '--quiet', ...config(place)]
    await using sweep = startProgram(process.execPath, args, { TMPDIR: place.in('tmp') })
    const { code, stderr } = await sweep.ended
    if (code !== 0) throw new Error(`a sweep in which nothing fails: ${code} ${stderr}`)
    cpSync(ledger, saved, { recursive: true })
  }
  rmSync(ledger, { recursive: true })
  cpSync(saved, ledger, { recursive: true, preserveTimestamps: true })
}

/** A run stops where it copies, and is killed there with its guardian: nobody is left to resume the tenant. */
async function leavePaused(place: Place): Promise<void> {
  const launcher = makeLauncher(place.in('traced'), { main: { ...atTheCopy, what: 'signal=SIGSTOP' } })
  const args = [program, 'check', '--tenant', 'acme', '--quiet', ...config(place)]
  await using run = startProgram(launcher, args, { TMPDIR: place.in('tmp') })
  await eventually('a tenant is paused', () => place.service.gate.stateOf('acme') === 'quiesced', 20_000)
  const guardian = descendantsOf(run.pid).find(({ command }) => command.includes('guardian-child'))
  if (guardian) process.kill(guardian.pid, 'SIGKILL')
  run.kill('SIGKILL')
  await run.ended
  rmSync(place.in('traced'), { recursive: true })
}
