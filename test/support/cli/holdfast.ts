/**
 * The real command line against a demo service: configuration, start, report. Runs the compiled program, as people do
 * (`npm run build`).
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '../../../src/model/result/report.ts'
import { startNode, type Program } from '../processes.ts'
import type { Demo } from '../service/demo-service.ts'
import { problemsOfOutput } from './json-documents.ts'

export interface Holdfast {
  readonly config: string
  readonly snapshots: string
  /** Starts a command with this configuration. */
  start(...args: readonly string[]): Program
  /** Runs one to its end. */
  run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
  /** A whole sweep. */
  sweep(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly report: Report; readonly stderr: string }>
  /** What lies in the snapshot folder. */
  snapshotsLeft(): readonly string[]
}

export interface HoldfastOptions {
  /** Names its ledger and its snapshots: two that share a name share both. */
  readonly name?: string
  readonly hold?: string
  /** A snapshot folder that is not its own. */
  readonly snapshots?: string
  readonly requestTimeout?: string
  readonly tokenFile?: string
  readonly statusTenant?: string
  /** More lines of the configuration. */
  readonly more?: readonly string[]
  /** Words before each command (test/support/processes.ts). */
  readonly enter?: readonly string[]
}

export function configure(
  demo: Pick<Demo, 'home' | 'dir' | 'socket'>,
  {
    name = 'holdfast',
    hold = '{}',
    snapshots,
    requestTimeout = '5s',
    tokenFile,
    statusTenant,
    more = [],
    enter = [],
  }: HoldfastOptions = {},
): Holdfast {
  const folder = snapshots ?? join(demo.home, name, 'snapshots')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  mkdirSync(join(demo.home, name), { recursive: true })
  const config = join(demo.home, name, 'holdfast.yaml')
  writeFileSync(
    config,
    [
      `service: { name: notes, admin: "unix:${demo.socket}", requestTimeout: ` +
        `${requestTimeout}${tokenFile === undefined ? '' : `, tokenFile: "${tokenFile}"`} }`,
      `tenants: { roots: ["${demo.dir}"]${statusTenant === undefined ? '' : `, statusTenant: ${statusTenant}`} }`,
      `hold: ${hold}`,
      `snapshots: { dir: "${folder}" }`,
      'check: { workers: 1, niceness: 0 }',
      `ledger: { dir: "${join(demo.home, name, 'ledger')}" }`,
      ...more,
    ].join('\n'),
  )
  const start = (...args: readonly string[]): Program =>
    startNode('bin/holdfast.js', [...args, '--config', config], {}, enter)
  const run: Holdfast['run'] = async (...args) => {
    await using program = start(...args)
    const { code, stdout, stderr } = await program.ended
    const problems = problemsOfOutput(stdout)
    if (problems.length > 0) throw new Error(`its schema does not describe ${stdout}: ${JSON.stringify(problems)}`)
    return { code, stdout, stderr }
  }
  return {
    config,
    snapshots: folder,
    start,
    run,
    sweep: async (...args) => {
      const { code, stdout, stderr } = await run('sweep', '--json', ...args)
      if (!stdout.startsWith('{')) throw new Error(`a sweep without a report, exit code ${code}: ${stderr}`)
      return { code, stderr, report: JSON.parse(stdout) as Report }
    },
    snapshotsLeft: () => readdirSync(folder),
  }
}
