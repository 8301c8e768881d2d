/** One command with one call that fails, and all that must be true afterwards. */
import { readdirSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { pidsWith } from '../../support/cli/scripted-service.ts'
import { eventually, isRunning, repository, startProgram, type Ended } from '../../support/processes.ts'
import { commandNamed, prepare, type TriedCommand } from './commands.ts'
import type { Injection, Role } from './injection.ts'
import { complaintsAbout, isOfRuntime } from './judge.ts'
import { footprintsIn, tenants, ttlMs, type Place } from './place.ts'
import { makeLauncher, tracedCalls, type Faults } from './programs.ts'
import type { Call } from './trace.ts'

/** On a machine that does much else. What waits for a lease takes seconds. */
const deadlineMs = 45_000

export interface Trial {
  readonly ended: Ended
  /** Calls that were failed. */
  readonly failed: readonly Call[]
  readonly complaints: readonly string[]
}

export const tracedIn = (place: Place): string => place.in('traced')

/** Makes one call fail. */
export function tryOut(place: Place, { command, role, call, when, errno, path }: Injection): Promise<Trial> {
  const fault = { call, what: `error=${errno}`, when, path: path === null ? null : place.real(path) }
  return carryOut(place, commandNamed(command), { [role]: fault })
}

let trials = 0

export async function carryOut(place: Place, command: TriedCommand, faults: Faults): Promise<Trial> {
  await prepare(command, place)
  const before = footprintsIn(place)
  const mark = `/nonexistent/faults-${process.pid}-${trials++}`
  const { ended, isLate } = await runTo(deadlineMs, place, command, faults, mark)
  const left = await complaintsOf('no process is left', () => pidsWith(mark).filter(isRunning).map(String))
  const failed = (Object.keys(faults) as Role[])
    .flatMap((role) => tracedCalls(tracedIn(place), role) ?? [])
    .filter(({ injected }) => injected)
  const complaints = [
    ...(isLate ? lateness(failed) : complaintsAbout(command, ended, failed)),
    ...left,
    ...(await leftPaused(place, command, ended.code)),
    ...(footprintsIn(place) === before ? [] : [`a live file was changed: ${before} is ${footprintsIn(place)}`]),
    ...(await leftBehind(place, command)),
  ]
  return { ended, failed, complaints }
}

async function runTo(
  deadline: number,
  place: Place,
  command: TriedCommand,
  faults: Faults,
  mark: string,
): Promise<{ readonly ended: Ended; readonly isLate: boolean }> {
  const death = command.dies === undefined ? {} : { main: command.dies }
  const launcher = makeLauncher(tracedIn(place), { ...death, ...faults })
  await using run = startProgram(launcher, [join(repository, 'bin/holdfast.js'), ...command.args(place)], {
    TMPDIR: place.in('tmp'),
    PATH: `${process.env['PATH'] ?? ''}:${mark}`, // Children get it too.
    UV_THREADPOOL_SIZE: '1', // Calls of one thread come in the same order each time.
  })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    for (const pid of pidsWith(mark)) process.kill(pid, 'SIGKILL')
  }, deadline)
  const ended = await run.ended
  clearTimeout(timer)
  return { ended, isLate }
}

/** libuv waits for ever for a letter of its own that was not sent. */
const lateness = (failed: readonly Call[]): readonly string[] =>
  isOfRuntime(failed) ? [] : [`it had not ended after ${deadlineMs} ms`]

async function complaintsOf(what: string, left: () => readonly string[], withinMs = 8_000): Promise<readonly string[]> {
  try {
    await eventually(what, () => left().length === 0, withinMs)
    return []
  } catch {
    return [`not so: ${what}: ${left().join(', ')}`]
  }
}

/** A command that says so may leave a tenant to the end of its lease; one that does not leaves it serving. */
async function leftPaused(place: Place, command: TriedCommand, code: number | null): Promise<readonly string[]> {
  const { asks, dies, before } = command
  if (asks === 'hooks') return hooksLeftPaused(place, code)
  const { gate, data } = place.service
  const standing = (): readonly string[] => tenants.filter((tenant) => gate.stateOf(tenant) !== 'active')
  const isLeftToTheLease = code === 4 || dies !== undefined || (before === 'paused' && code !== 0)
  const complaints = await complaintsOf('every tenant serves', standing, isLeftToTheLease ? ttlMs + 2_000 : 300)
  await eventually('the lease ends it', () => standing().length === 0, ttlMs + 10_000)
  return [...complaints, ...tenants.flatMap((tenant) => refusedWrites(join(data, `${tenant}.db`)))]
}

/** Another handle beside that of the service gets the lock that a write needs. */
function refusedWrites(file: string): readonly string[] {
  const database = new Database(file, { timeout: 500 })
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK')
    return []
  } catch (error) {
    return [`${file} cannot be written: ${String(error)}`]
  } finally {
    database.close()
  }
}

/** No lease ends a pause by hooks: only a command that says so may leave one. */
async function hooksLeftPaused(place: Place, code: number | null): Promise<readonly string[]> {
  const paused = place.hooked.paused()
  for (const tenant of paused) await place.hooked.run('resume', tenant)
  return paused.length === 0 || code === 4 ? [] : [`exit code ${code}, and ${paused.join(', ')} stands still`]
}

/** What a command could not delete is cleared by a run of the next day: nobody ever has to. */
async function leftBehind(place: Place, { asks }: TriedCommand): Promise<readonly string[]> {
  const folders = [place.in('tmp'), place.service.snapshots, join(place.hooked.home, 'snapshots')]
  const left = (): readonly string[] =>
    folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  if (left().length === 0) return []
  const yesterday = new Date(Date.now() - 86_400_000)
  for (const path of left()) utimesSync(path, yesterday, yesterday)
  const args = [join(repository, 'bin/holdfast.js'), ...nextRun[asks](place)]
  await using next = startProgram(process.execPath, args, { TMPDIR: place.in('tmp') })
  await next.ended
  const still = left()
  for (const path of still) rmSync(path, { recursive: true })
  return still.map((path) => `left behind, by a run of the next day too: ${path}`)
}

/** It makes its snapshots where the command made them. */
const nextRun = {
  files: (place) => ['check', place.in('files/plain.db')],
  service: (place) => ['check', '--tenant', 'bolt', '--config', place.service.config],
  hooks: (place) => ['check', '--tenant', 'bolt', '--config', place.hooked.config],
  nothing: () => ['--version'],
} satisfies Record<TriedCommand['asks'], (place: Place) => readonly string[]>
