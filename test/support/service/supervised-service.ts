/** The demo service under real monit, whose hook calls holdfast, and a sink that keeps all alarms. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Alarm } from '../../../src/alarm/alarm.ts'
import { makeFolder, type Folder } from '../cli/folder.ts'
import { configure, type Holdfast } from '../cli/holdfast.ts'
import { startMonit, type Monit } from '../monit.ts'
import { eventually, isRunning, repository } from '../processes.ts'

const launcher = join(repository, 'bin/holdfast.js')
const node = JSON.stringify(process.execPath)

export interface SupervisedService extends AsyncDisposable {
  readonly folder: Folder
  readonly data: string
  readonly holdfast: Holdfast
  readonly port: number
  /** Of the process that runs now. */
  pid(): number | null
  /** How often it was started. */
  starts(): number
  /** The output of each triage in the background. */
  outputs(): readonly string[]
  /** A program for monit that calls the hook. */
  readonly hook: string
  /** The alarms that were sent, in their order. */
  alarms(): readonly Alarm[]
  /** Starts the service without the hook. */
  start(): void
  /** Waits until the process that runs now has ended. */
  crashed(): Promise<void>
  monit(...checks: readonly string[]): Monit
}

/**
 * Its start program calls the hook first, and then starts the service in the background.
 * @param load transfers a second
 */
export async function superviseService(load: number, statusTenant?: string): Promise<SupervisedService> {
  const folder = makeFolder()
  const data = folder.in('data')
  const pidFile = folder.in('service.pid')
  const socket = folder.in('admin.sock')
  const page = `alerts: [ { command: [/bin/sh, -c, "cat >> ${folder.in('alarms')}"] } ]`
  const named = statusTenant === undefined ? {} : { statusTenant }
  const holdfast = configure({ home: folder.path, dir: data, socket }, { more: [page], ...named })
  const port = await freePort()
  const words = `--dir ${data} --socket ${socket} --load ${load} --misbehave crashes --port ${port}`
  writeFileSync(
    folder.in('hook.sh'),
    `#!/bin/sh\n${node} ${launcher} triage --from-monit --config ${holdfast.config} >> ${folder.in('hook.log')} 2>&1\n`,
    { mode: 0o700 },
  )
  writeFileSync(
    folder.in('start.sh'),
    [
      '#!/bin/sh',
      `cd ${repository}`,
      `echo start >> ${folder.in('starts')}`,
      `[ "$1" = without-hook ] || ${folder.in('hook.sh')}`,
      `setsid ${node} scripts/demo/service.ts ${words} >> ${folder.in('service.log')} 2>&1 < /dev/null &`,
      `echo $! > ${pidFile}`,
      '',
    ].join('\n'),
    { mode: 0o700 },
  )
  const pid = (): number | null => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : null)
  const requests = join(folder.path, 'holdfast/ledger/triage')
  let monit: Monit | null = null
  return {
    folder,
    data,
    holdfast,
    port,
    pid,
    starts: () => readFileSync(folder.in('starts'), 'utf8').split('\n').length - 1,
    outputs: () =>
      (existsSync(requests) ? readdirSync(requests) : [])
        .filter((name) => name.endsWith('.out'))
        .toSorted()
        .map((name) => readFileSync(join(requests, name), 'utf8')),
    hook: folder.in('hook.sh'),
    alarms: () =>
      (existsSync(folder.in('alarms')) ? readFileSync(folder.in('alarms'), 'utf8') : '')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Alarm),
    start: () => void spawnSync('sh', [folder.in('start.sh'), 'without-hook']),
    crashed: async () => void (await eventually('the service has crashed', () => !isRunning(pid() ?? 0))),
    monit: (...checks) => {
      monit = startMonit(folder.in('monit'), [
        `check process notes with pidfile ${pidFile}`,
        `  start program = "${folder.in('start.sh')}" with timeout 30 seconds`,
        ...checks,
      ])
      return monit
    },
    async [Symbol.asyncDispose]() {
      await monit?.[Symbol.asyncDispose]()
      const running = pid()
      if (running !== null && isRunning(running)) process.kill(running, 'SIGKILL')
      folder[Symbol.dispose]()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
