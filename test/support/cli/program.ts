/** The compiled program as a person runs it: a process, its streams, its exit code. */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import addFormats from 'ajv-formats'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import type { Report, Result } from '../../../src/model/result/report.ts'
import { descendantsOf } from '../processes.ts'
import { problemsOfOutput } from './json-documents.ts'

/** HOLDFAST_TREE: another tree than this one, to try a build that is kept apart. */
const tree = process.env['HOLDFAST_TREE'] ?? fileURLToPath(new URL('../../..', import.meta.url))
export const launcher = join(tree, 'bin/holdfast.js')

export interface ProgramOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Root runs it as this user. */
  readonly as?: { readonly uid: number; readonly gid: number }
}

/** For root a user that owns nothing; null where we are not root. */
export const otherUser = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null
/** Why another user than root cannot run the program; null if it can. */
export const whyNoOtherUser = (): string | null =>
  otherUser === null || spawnSync(process.execPath, [launcher, '--version'], otherUser).status === 0
    ? null
    : 'another user may not run this tree'

export interface ProgramResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Leaves out variables of the test's environment that change the output, such as colours or Node options. */
const inherited = (name: string): NodeJS.ProcessEnv =>
  process.env[name] === undefined ? {} : { [name]: process.env[name] }
const plainEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
  ...inherited('TMPDIR'),
  ...inherited('NODE_COMPILE_CACHE'),
})

export type RunningProgram = ChildProcessByStdio<null, Readable, Readable>

export const start = (args: readonly string[], { cwd, env = {}, as }: ProgramOptions = {}): RunningProgram =>
  spawn(process.execPath, [launcher, ...args], {
    cwd,
    env: { ...plainEnvironment(), ...env },
    ...as,
    stdio: ['ignore', 'pipe', 'pipe'],
  })

export const holdfast = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
  resultOf(start(args, options))

/** Runs it, and kills it after 20 s: a program that calls the kernel without end handles no signal. */
export async function holdfastOrKill(args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  const program = start(args, options)
  const deadline = setTimeout(() => program.kill('SIGKILL'), 20_000)
  try {
    return await resultOf(program)
  } finally {
    clearTimeout(deadline)
  }
}

/** Kills a run and its guardian, so that no process resumes the tenants that it paused. */
export function killWithGuardian(run: RunningProgram | null): void {
  if (run?.pid === undefined) return
  for (const { pid, command } of descendantsOf(run.pid))
    if (command.includes('guardian-child')) process.kill(pid, 'SIGKILL')
  run.kill('SIGKILL')
}

/** Reads both streams to their end. */
export async function resultOf(program: RunningProgram): Promise<ProgramResult> {
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(program.stdout),
    textOf(program.stderr),
    once(program, 'close') as Promise<[number | null]>,
  ])
  // Every document fits its schema, whatever part of it a test reads.
  expect(problemsOfOutput(stdout)).toEqual([])
  return { code, stdout, stderr }
}

async function textOf(stream: Readable): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}

const schema = JSON.parse(readFileSync(join(tree, 'dist/report.schema.json'), 'utf8')) as object
const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false, strictTypes: false })
addFormats.default(ajv)
const validate = ajv.compile(schema)

/** The one document on stdout: it fits the published schema, and its exit code is that of the process. */
export function reportIn({ stdout, code, stderr }: ProgramResult): Report {
  expect(stdout, stderr).toMatch(/^\{[^]*\}\n$/)
  const report = JSON.parse(stdout) as Report
  expect(validate(report) ? [] : validate.errors).toEqual([])
  expect(report.summary.exitCode).toBe(code)
  const { selected, sound, damaged, inconclusive, failed, notCovered } = report.summary
  expect([sound + damaged + inconclusive + failed + notCovered, sound + damaged + inconclusive + failed]).toEqual([
    selected,
    report.results.length,
  ])
  return report
}

export async function reportOf(args: readonly string[], options: ProgramOptions = {}): Promise<Report> {
  return reportIn(await holdfast([...args, '--json'], options))
}

/** The only result of a report. */
export function single({ results }: Report): Result {
  const [result, ...others] = results
  if (!result || others.length > 0) throw new Error(`${results.length} results`)
  return result
}

/**
 * What a result comes to, in a word that tests can compare: verdict, with the failure's code or the class of damage.
 */
export const shortVerdict = ({ verdict, failure, damage }: Result): string =>
  `${verdict}${failure ? ` ${failure.code}` : ''}${damage === 'none' ? '' : ` ${damage}`}`
