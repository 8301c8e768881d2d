/**
 * A service that is reached by commands and keeps its state in files. It needs no process of its own, so its commands
 * work whichever process is killed.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { startProgram, repository, type Program } from '../processes.ts'

export interface CommandEvent {
  readonly what: 'pause' | 'resume'
  readonly tenant: string
  readonly phase: 'begins' | 'ends'
}

export interface ScriptedService extends Disposable {
  readonly home: string
  readonly config: string
  readonly ledger: string
  /** In the environment of every process that a run of it starts. */
  readonly mark: string
  /** Tenants that stand still. */
  paused(): readonly string[]
  /** What the commands did, in order. */
  commandEvents(): readonly CommandEvent[]
  /** Replaces what a command does between its beginning and its end; bash, with the tenant as $2. */
  let(what: 'pause' | 'resume' | 'tenants', body: string): void
  start(...args: readonly string[]): Program
  run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
  /** Pids of what is still there of its runs, by `mark`. */
  leftRunning(): readonly number[]
}

export interface ScriptedOptions {
  readonly tenants: readonly string[]
  readonly pause?: string
  readonly resume?: string
  readonly timeout?: string
  readonly maxPaused?: number
}

let services = 0

export function openScriptedService({
  tenants,
  pause = '',
  resume = '',
  timeout = '20s',
  maxPaused = 1,
}: ScriptedOptions): ScriptedService {
  const home = mkdtempSync(join(tmpdir(), 'scripted-'))
  const [live, state, snapshots, ledger] = ['live', 'state', 'snapshots', 'ledger'].map((name) => join(home, name)) as [
    string,
    string,
    string,
    string,
  ]
  for (const folder of [live, state, snapshots, ledger]) mkdirSync(folder, { mode: 0o700 })
  for (const tenant of tenants) makeTenant(join(live, `${tenant}.db`))
  const [log, ctl, config] = ['log', 'ctl', 'holdfast.yaml'].map((name) => join(home, name)) as [string, string, string]
  writeFileSync(join(home, 'list.json'), JSON.stringify(tenants.map((id) => ({ id, files: [join(live, `${id}.db`)] }))))
  writeFileSync(
    ctl,
    `#!/bin/bash
cd ${home}
case $1 in
  tenants) . ./tenants.sh; cat list.json ;;
  pause) echo "pause $2 begins" >> log; . ./pause.sh; touch "state/$2"; echo "pause $2 ends" >> log ;;
  resume) echo "resume $2 begins" >> log; . ./resume.sh; rm -f "state/$2"; echo "resume $2 ends" >> log ;;
esac
exit 0
`,
  )
  chmodSync(ctl, 0o755)
  const hooks = {
    tenants: [ctl, 'tenants'],
    quiesce: [ctl, 'pause', '{tenant}'],
    resume: [ctl, 'resume', '{tenant}'],
    timeout,
  }
  writeFileSync(
    config,
    JSON.stringify({
      service: { name: 'scripted', hooks },
      tenants: { roots: [live] },
      hold: { maxPaused },
      check: { workers: 1, niceness: 0 },
      snapshots: { dir: snapshots },
      ledger: { dir: ledger },
    }),
  )
  chmodSync(config, 0o600)
  const mark = `/nonexistent/${process.pid}-${services++}`
  const setBody: ScriptedService['let'] = (what, body) => writeFileSync(join(home, `${what}.sh`), `${body}\n`)
  setBody('pause', pause)
  setBody('resume', resume)
  setBody('tenants', '')
  const start: ScriptedService['start'] = (...args) =>
    startProgram(process.execPath, [join(repository, 'bin/holdfast.js'), ...args, '--config', config], {
      PATH: `${process.env['PATH'] ?? ''}:${mark}`,
    })
  return {
    home,
    config,
    ledger,
    mark,
    start,
    let: setBody,
    paused: () => readdirSync(state),
    commandEvents: () =>
      (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []).map((line) => {
        const [what, tenant, phase] = line.split(' ') as [CommandEvent['what'], string, CommandEvent['phase']]
        return { what, tenant, phase }
      }),
    run: async (...args) => {
      await using program = start(...args)
      const { code, stdout, stderr } = await program.ended
      return { code, stdout, stderr }
    },
    leftRunning: () => pidsWith(mark),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  }
}

function makeTenant(path: string): void {
  const database = new Database(path)
  database.exec('CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT); CREATE INDEX notes_title ON notes(title)')
  const put = database.prepare('INSERT INTO notes(title) VALUES(?)')
  database.transaction(() => {
    for (let i = 0; i < 50; i++) put.run(`title ${i}`)
  })()
  database.close()
}

/** Processes with these letters somewhere in the environment that they were started with. */
export function pidsWith(mark: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && environmentOf(pid).includes(`${mark}\0`))
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}

/** Commands of one tenant that ran at the same time, which none may. */
export function overlapsIn(events: readonly CommandEvent[]): readonly string[] {
  const running = new Map<string, string>()
  const overlaps: string[] = []
  for (const { what, tenant, phase } of events) {
    const before = running.get(tenant)
    if (phase === 'begins' && before === 'resume') overlaps.push(`${what} of ${tenant} began while its ${before} ran`)
    if (phase === 'begins') running.set(tenant, what)
    else running.delete(tenant)
  }
  return overlaps
}
