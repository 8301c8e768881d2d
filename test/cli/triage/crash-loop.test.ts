/**
 * Incident I1 replayed: a service with forty busy tenants crashes again and again because of one damaged index. Real
 * monit restarts it, and calls the hook that finds the culprit.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tenantName } from '../../../scripts/demo/names.ts'
import { createTenantDatabase, transfer } from '../../../scripts/demo/notes/tenant-database.ts'
import { isWhole, verifyTenants } from '../../../scripts/demo/verify.ts'
import { damageIndexPages } from '../../../scripts/demo/wounds.ts'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { configure, type Holdfast } from '../../support/cli/holdfast.ts'
import { whySkipped } from '../../support/host/mounts.ts'
import { startMonit, whyNoMonit, type Monit } from '../../support/monit.ts'
import { eventually, isRunning, repository } from '../../support/processes.ts'

const launcher = join(repository, 'bin/holdfast.js')
const node = JSON.stringify(process.execPath)

interface CrashingService extends AsyncDisposable {
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
  /** Starts the service once without the hook. */
  startAndWaitForCrash(): Promise<void>
  monit(...checks: readonly string[]): Monit
}

/**
 * Its start program calls the hook first, and then starts the service in the background.
 * @param load transfers a second @param more lines of the configuration
 */
async function crashingService(load: number, more: readonly string[] = []): Promise<CrashingService> {
  const folder = makeFolder()
  const data = folder.in('data')
  const pidFile = folder.in('service.pid')
  const socket = folder.in('admin.sock')
  const holdfast = configure({ home: folder.path, dir: data, socket }, { more })
  const port = await freePort()
  const words = `--dir ${data} --socket ${socket} --load ${load} --misbehave crashes --port ${port}`
  writeFileSync(
    folder.in('start.sh'),
    [
      '#!/bin/sh',
      `cd ${repository}`,
      `echo start >> ${folder.in('starts')}`,
      `[ "$1" = without-hook ] || ${node} ${launcher} triage --from-monit --config ${holdfast.config} >> ${folder.in('hook.log')} 2>&1`,
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
    startAndWaitForCrash: async () => {
      spawnSync('sh', [folder.in('start.sh'), 'without-hook'])
      await eventually('the service has crashed', () => !isRunning(pid() ?? 0), 60_000)
    },
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

const forty = Array.from({ length: 40 }, (_, at) => tenantName(at))
/** With a rollback journal, as every third one. After each start the load reaches it last, after ten seconds. */
const culprit = tenantName(38)

function makeForty(data: string): void {
  mkdirSync(data, { recursive: true })
  for (const [at, id] of forty.entries()) {
    const database = createTenantDatabase(join(data, `${id}.db`), {
      wal: at % 3 !== 2,
      fts: false,
      bytes: 40_000,
      pageSize: 4_096,
    })
    database.pragma('synchronous = off')
    database.transaction(() => {
      for (let n = 0; n < (id === culprit ? 500 : 5); n++) transfer(database, `made-${n}`, () => {})
    })()
    database.close()
  }
}

/** From the beginning of the run to the first check that found damage. */
async function millisecondsToCulprit(holdfast: Holdfast): Promise<number> {
  const { stdout } = await holdfast.run('history', '--json')
  const { entries } = JSON.parse(stdout) as {
    readonly entries: readonly { readonly at: number; readonly run: string; readonly verdict: string }[]
  }
  const found = entries.findLast(({ verdict }) => verdict === 'damaged')
  if (found === undefined) throw new Error('no check found damage')
  return found.at - timeOfRunId(found.run)
}

/** The first ten letters of a run's id are its time, in Crockford's base 32. */
const timeOfRunId = (run: string): number =>
  Array.from(run.slice(0, 10)).reduce((ms, letter) => ms * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(letter), 0)

describe.skipIf(whyNoMonit !== null)(`I1.6: a crash loop under monit${whySkipped(whyNoMonit)}`, () => {
  test('the hook names the culprit among the first three, the repair mends it, and the service is well', async () => {
    await using service = await crashingService(4)
    makeForty(service.data)
    damageIndexPages(join(service.data, `${culprit}.db`), 'sqlite_autoindex_transfers_1')
    await service.startAndWaitForCrash()
    service.monit()
    const output = await eventually(
      'the triage in the background has named the culprit',
      () => service.outputs().find((text) => /^CULPRIT: /m.test(text)),
      120_000,
    )
    const [, named, place] = /^CULPRIT: (\S+), number (\d+) of 40/m.exec(output) ?? []
    expect(named).toBe(culprit)
    expect(Number(place)).toBeLessThanOrEqual(3)
    expect(output).toMatch(/suspect a journal with bytes lies beside it/)
    expect(await millisecondsToCulprit(service.holdfast)).toBeLessThan(5_000)
    // The loop goes on meanwhile: monit has asked again, and was refused.
    await eventually('the service was started again', () => service.starts() >= 3, 60_000)
    const applied = await eventually(
      'the repair was applied between two crashes',
      async () => {
        const before = service.starts()
        await eventually('the service has just been started', () => service.starts() > before, 30_000)
        const ran = await service.holdfast.run('repair', '--tenant', culprit, '--apply', '--wait', '60s')
        return ran.code === 0 ? ran : null
      },
      150_000,
    )
    expect(applied.stdout).toMatch(/rebuil/i)
    const pid = await eventually('the service runs', () => service.pid(), 30_000)
    const starts = service.starts()
    // Every tenant gets a transfer every ten seconds.
    await new Promise((resolve) => setTimeout(resolve, 15_000))
    expect([service.starts(), isRunning(service.pid() ?? 0)]).toEqual([starts, true])
    expect(pid).not.toBeNull()
    process.kill(service.pid() ?? 0, 'SIGKILL')
    const verified = verifyTenants(service.data, forty)
    expect(verified.filter((one) => !isWhole(one))).toEqual([])
    expect(verified.find(({ tenant }) => tenant === culprit)?.acknowledged).toBeGreaterThan(0)
  }, 300_000)
})
