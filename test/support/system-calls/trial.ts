/** Runs one command in which one call fails, and checks everything that must be true afterwards. */
import { readdirSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { pidsWith } from '../cli/scripted-service.ts'
import { eventually, isRunning, repository, startProgram, type EndedProgram } from '../processes.ts'
import { commandNamed, prepareTrial, type TriedCommand } from './commands.ts'
import type { Injection, Role } from './injection.ts'
import { complaintsAbout, isOfRuntime } from './judge.ts'
import { makeLauncher, tracedCalls, type FaultOfProgram } from './programs.ts'
import { liveFilesIn, tenants, ttlMs, type Scene } from './scene.ts'
import type { TracedCall } from './trace.ts'

/** Generous, for a busy machine: a command that waits for a lease takes seconds. */
const deadlineMs = 45_000

export interface TrialOutcome {
  readonly ended: EndedProgram
  /** Calls that strace made fail. */
  readonly failed: readonly TracedCall[]
  readonly complaints: readonly string[]
}

export const tracedIn = (scene: Scene): string => scene.in('traced')

/** Makes one call fail. */
export function tryInjection(
  scene: Scene,
  { command, role, call, when, errno, path }: Injection,
): Promise<TrialOutcome> {
  const fault = { call, what: `error=${errno}`, when, path: path === null ? null : scene.real(path) }
  return carryOut(scene, commandNamed(command), { [role]: fault })
}

let trials = 0

export async function carryOut(scene: Scene, command: TriedCommand, faults: FaultOfProgram): Promise<TrialOutcome> {
  await prepareTrial(command, scene)
  const before = liveFilesIn(scene)
  const mark = `/nonexistent/faults-${process.pid}-${trials++}`
  const { ended, isLate } = await runTo(deadlineMs, scene, command, faults, mark)
  const left = (): readonly number[] => pidsWith(mark).filter(isRunning)
  const leftProcesses = await complaintsOf('no process is left', () => left().map(String))
  const failed = (Object.keys(faults) as Role[])
    .flatMap((role) => tracedCalls(tracedIn(scene), role) ?? [])
    .filter(({ injected }) => injected)
  for (const pid of left()) process.kill(pid, 'SIGKILL')
  const complaints = [
    ...(isLate ? lateness(failed) : complaintsAbout(command, ended, failed)),
    ...(keepsFailing(command, failed) ? [] : leftProcesses),
    ...(await leftPaused(scene, command, ended.code)),
    ...(command.asks === 'mended' ? await scene.damaged.complaints(command.args(scene), ended) : []),
    ...(liveFilesIn(scene) === before ? [] : [`a live file was changed: ${before} is ${liveFilesIn(scene)}`]),
    ...(await leftBehind(scene, command)),
  ]
  return { ended, failed, complaints }
}

async function runTo(
  deadline: number,
  scene: Scene,
  command: TriedCommand,
  faults: FaultOfProgram,
  mark: string,
): Promise<{ readonly ended: EndedProgram; readonly isLate: boolean }> {
  const death = command.dies === undefined ? {} : { main: command.dies }
  const launcher = makeLauncher(tracedIn(scene), { ...death, ...faults })
  await using run = startProgram(launcher, [join(repository, 'bin/holdfast.js'), ...command.args(scene)], {
    TMPDIR: scene.in('tmp'),
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

/**
 * strace counts calls anew in each process. So a call that fails between fork and exec fails at each attempt to start
 * the program, and the guardian of a killed run tries for ten minutes.
 */
const keepsFailing = (command: TriedCommand, failed: readonly TracedCall[]): boolean =>
  command.dies !== undefined && failed.length > 1

/** A command may hang if a call of the runtime failed: libuv waits for ever for a message to itself. */
const lateness = (failed: readonly TracedCall[]): readonly string[] =>
  isOfRuntime(failed) ? [] : [`it had not ended after ${deadlineMs} ms`]

async function complaintsOf(what: string, left: () => readonly string[], withinMs = 8_000): Promise<readonly string[]> {
  try {
    await eventually(what, () => left().length === 0, withinMs)
    return []
  } catch {
    return [`not true: ${what}: ${left().join(', ')}`]
  }
}

/** A command may leave a tenant to the end of its lease only if its exit code says so. */
async function leftPaused(scene: Scene, command: TriedCommand, code: number | null): Promise<readonly string[]> {
  const { asks, dies, before } = command
  if (asks === 'hooks') return hooksLeftPaused(scene, code)
  const { gate, data } = scene.service
  const standing = (): readonly string[] => tenants.filter((tenant) => gate.stateOf(tenant) !== 'active')
  const isLeftToTheLease = code === 4 || dies !== undefined || (before === 'paused' && code !== 0)
  const complaints = await complaintsOf('every tenant serves', standing, isLeftToTheLease ? ttlMs + 2_000 : 300)
  await eventually('the lease ends it', () => standing().length === 0, ttlMs + 10_000)
  return [...complaints, ...tenants.flatMap((tenant) => refusedWrites(join(data, `${tenant}.db`)))]
}

/** Checks that another handle than the one of the service can take the lock for a write. */
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

/** No lease ends a pause by hooks. So a command may leave a tenant paused only if its exit code says so. */
async function hooksLeftPaused(scene: Scene, code: number | null): Promise<readonly string[]> {
  const paused = scene.hooked.paused()
  for (const tenant of paused) await scene.hooked.run('resume', tenant)
  return paused.length === 0 || code === 4 ? [] : [`exit code ${code}, and ${paused.join(', ')} is still paused`]
}

/** A run on the next day must delete whatever the command could not delete. */
async function leftBehind(scene: Scene, { asks }: TriedCommand): Promise<readonly string[]> {
  const folders = [scene.in('tmp'), scene.service.snapshots, join(scene.hooked.home, 'snapshots')]
  const left = (): readonly string[] =>
    folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  if (left().length === 0) return []
  const yesterday = new Date(Date.now() - 86_400_000)
  for (const path of left()) utimesSync(path, yesterday, yesterday)
  const args = [join(repository, 'bin/holdfast.js'), ...nextRun[asks](scene)]
  await using next = startProgram(process.execPath, args, { TMPDIR: scene.in('tmp') })
  await next.ended
  const still = left()
  for (const path of still) rmSync(path, { recursive: true })
  return still.map((path) => `left behind, also by a run on the next day: ${path}`)
}

/** The run of the next day: its snapshots are in the same folder as those of the command. */
const nextRun = {
  files: (scene) => ['check', scene.in('files/plain.db')],
  service: (scene) => ['check', '--tenant', 'bolt', '--config', scene.service.config],
  hooks: (scene) => ['check', '--tenant', 'bolt', '--config', scene.hooked.config],
  mended: (scene) => ['check', scene.in('files/plain.db')],
  nothing: () => ['--version'],
} satisfies Record<TriedCommand['asks'], (scene: Scene) => readonly string[]>
