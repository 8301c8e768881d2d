/** A run by hooks is killed while a tenant is paused, which only a command can resume: the guardian resumes it. */
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  openScriptedService,
  overlapsIn,
  type CommandEvent,
  type ScriptedService,
} from '../support/cli/scripted-service.ts'
import { commandOfPid, descendantsRunning, eventually, isRunning, type Program } from '../support/processes.ts'

const servesWithinMs = 10_000

async function killWhen(
  what: string,
  condition: () => boolean,
  service: ScriptedService,
  toGuardian: readonly NodeJS.Signals[] = [],
): Promise<void> {
  await using sweep: Program = service.start('sweep', '--quiet')
  await eventually(what, condition)
  for (const pid of descendantsRunning(sweep.pid, 'guardian-child'))
    for (const signal of toGuardian) process.kill(pid, signal)
  sweep.kill('SIGKILL')
  await sweep.ended
}

const textsOf = (events: readonly CommandEvent[]): readonly string[] =>
  events.map(({ what, tenant, phase }) => `${what} ${tenant} ${phase}`)

async function expectOver(service: ScriptedService): Promise<void> {
  await eventually('every tenant serves', () => service.paused().length === 0, servesWithinMs)
  await eventually('nothing of the run is left', () => service.leftRunning().length === 0)
  expect(overlapsIn(service.commandEvents())).toEqual([])
}

async function expectNoOpenHold(service: ScriptedService): Promise<void> {
  expect((await service.run('status', '--format', 'nagios')).stdout).toContain('holds_overdue=0')
}

describe('killed', () => {
  test.concurrent('while a tenant is paused: one resume follows, and the ledger records it', async () => {
    using service = openScriptedService({ tenants: ['acme'], pause: 'touch state/acme; sleep .4' })
    // A supervisor may send its signals to all processes of a run.
    await killWhen('it is paused', () => service.paused().length > 0, service, [
      'SIGTERM',
      'SIGINT',
      'SIGHUP',
      'SIGQUIT',
      'SIGUSR1',
    ])
    await expectOver(service)
    expect(service.commandEvents().filter(({ what, phase }) => what === 'resume' && phase === 'begins')).toHaveLength(1)
    await expectNoOpenHold(service)
    expect((await service.run('resume', '--all')).stdout).toBe('no tenant is known to be paused (no hold is open)\n')
  })

  test.concurrent('while the quiesce command runs: it is ended, so that it cannot pause the tenant later', async () => {
    using service = openScriptedService({ tenants: ['acme'], pause: 'sleep 10' })
    await killWhen('the command runs', () => service.commandEvents().length > 0, service)
    await expectOver(service)
    expect(textsOf(service.commandEvents())).toEqual(['pause acme begins', 'resume acme begins', 'resume acme ends'])
    await expectNoOpenHold(service)
  })

  test.concurrent('while the resume command runs: it may end, and only then another is started', async () => {
    using service = openScriptedService({
      tenants: ['acme'],
      resume: 'for i in 1 2 3 4 5 6 7 8 9 10; do echo "step $i"; echo "step $i" >&2; sleep .2; done',
    })
    await killWhen('the command runs', () => service.commandEvents().some(({ what }) => what === 'resume'), service)
    await eventually('the tenant serves', () => service.paused().length === 0, servesWithinMs + 4_000)
    await eventually('nothing of the run is left', () => service.leftRunning().length === 0)
    expect(textsOf(service.commandEvents())).toEqual([
      'pause acme begins',
      'pause acme ends',
      'resume acme begins',
      'resume acme ends',
      'resume acme begins',
      'resume acme ends',
    ])
    await expectNoOpenHold(service)
  })

  // Not beside the others: each process must be seen before it has resumed the tenant.
  test('and its resuming process is killed repeatedly: it is started until it survives', async () => {
    using service = openScriptedService({ tenants: ['acme'], pause: 'touch state/acme; sleep .4' })
    await killWhen('it is paused', () => service.paused().length > 0, service)
    service.let('resume', 'exit 1') // None may resume the tenant before it is seen here.
    const killed = new Set<number>()
    await eventually('five were killed', () => {
      for (const pid of service.leftRunning()) {
        if (killed.size === 5 || killed.has(pid) || !commandOfPid(pid).includes('resume-child')) continue
        killed.add(pid)
        process.kill(pid, 'SIGKILL')
      }
      return killed.size === 5
    })
    service.let('resume', '')
    await eventually('the tenant serves', () => service.paused().length === 0, 20_000)
    await eventually('nothing of the run is left', () => service.leftRunning().length === 0)
  })

  test.concurrent('after the resume command, before the tenant was seen serving: it is not started again', async () => {
    using service = openScriptedService({ tenants: ['acme'] })
    // Asked for the tenants after it, the run has seen its end. What it has logged comes before that.
    service.let('resume', "echo 'touch asked; sleep 1' > tenants.sh")
    await killWhen('the command has ended', () => existsSync(join(service.home, 'asked')), service)
    await eventually('nothing of the run is left', () => service.leftRunning().length === 0)
    expect(service.commandEvents().filter(({ what, phase }) => what === 'resume' && phase === 'begins')).toHaveLength(1)
    service.let('tenants', '')
    await expectNoOpenHold(service)
  })

  const broken: readonly (readonly [string, (ledger: string) => void])[] = [
    ['was lost', (ledger) => rmSync(ledger, { recursive: true })],
    [
      'cannot be written',
      (ledger) => {
        for (const name of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm']) chmodSync(join(ledger, name), 0o400)
      },
    ],
    ['is not a database', (ledger) => renameSync(join(ledger, 'run-scripted.json'), join(ledger, 'ledger.db'))],
  ]
  test.concurrent.each(broken)('while the ledger %s: the tenant is still resumed', async (_, harm) => {
    using service = openScriptedService({ tenants: ['acme'], pause: 'touch state/acme; sleep .4' })
    await killWhen(
      'it is paused',
      () => {
        if (service.paused().length === 0) return false
        harm(service.ledger)
        return true
      },
      service,
    )
    await expectOver(service)
  })

  test.concurrent('while several tenants are paused: all are resumed', async () => {
    const tenants = ['acme', 'bolt', 'crate']
    using service = openScriptedService({
      tenants,
      pause: 'touch state/$2; while [ $(ls state | wc -l) -lt 3 ]; do sleep .02; done; sleep .3',
      maxPaused: 3,
    })
    await killWhen('all are paused', () => service.paused().length === 3, service)
    await expectOver(service)
    await expectNoOpenHold(service)
  })

  test.concurrent('and the next run starts immediately: guardian and run do not resume at the same time', async () => {
    using service = openScriptedService({ tenants: ['acme'], pause: 'touch state/acme; sleep .4', resume: 'sleep .5' })
    await killWhen('it is paused', () => service.paused().length > 0, service)
    const next = await service.run('sweep', '--json')
    expect([next.code, JSON.parse(next.stdout)], next.stderr).toMatchObject([0, { summary: { sound: 1 } }])
    await expectOver(service)
    const resumes = service.commandEvents().filter(({ what, phase }) => what === 'resume' && phase === 'begins')
    expect(resumes).toHaveLength(2) // Of the killed run's hold, and of the next run's.
  })

  test.concurrent('after which a process that the resume command has left runs on, and holds no lock', async () => {
    using service = openScriptedService({
      tenants: ['acme'],
      pause: 'touch state/acme; sleep .4',
      resume: '(exec setsid sleep 99) & echo $! > daemon',
    })
    await killWhen('it is paused', () => service.paused().length > 0, service)
    await eventually('the tenant serves', () => service.paused().length === 0, servesWithinMs)
    const daemon = Number(readFileSync(join(service.home, 'daemon'), 'utf8'))
    try {
      await eventually('only that process is left', () => service.leftRunning().every((pid) => pid === daemon))
      expect(isRunning(daemon)).toBe(true)
      expect(await filesOf(daemon)).not.toContainEqual(expect.stringContaining(service.ledger))
      await expectNoOpenHold(service)
    } finally {
      process.kill(daemon, 'SIGKILL')
    }
  })

  test.concurrent('while it resumes a hold of the run before: its own guardian continues that', async () => {
    using service = openScriptedService({ tenants: ['acme'], pause: 'touch state/acme; sleep .4' })
    await killWhen('it is paused', () => service.paused().length > 0, service, ['SIGKILL'])
    service.let('resume', 'sleep .5')
    await killWhen('it resumes', () => service.commandEvents().some(({ what }) => what === 'resume'), service)
    await expectOver(service)
    await expectNoOpenHold(service)
  })

  test.concurrent(
    'together with its guardian: `status` is CRITICAL and says that nothing ends ' +
      'this by itself, and `resume --all` ends it',
    async () => {
      using service = openScriptedService({ tenants: ['acme'], pause: 'touch state/acme; sleep .4' })
      await killWhen('it is paused', () => service.paused().length > 0, service, ['SIGKILL'])
      const status = await service.run('status', '--format', 'nagios')
      expect([status.code, status.stdout]).toEqual([
        2,
        expect.stringMatching(
          new RegExp(
            '^HOLDFAST CRITICAL - PAUSED\\? 1 hold never seen to end: acme; NOTHING ENDS THIS BY ITSELF, ' +
              'run holdfast resume --config \\S+ --all',
          ),
        ),
      ])
      expect(service.paused()).toEqual(['acme'])
      const resumed = await service.run('resume', '--all')
      expect([resumed.code, resumed.stderr]).toEqual([0, 'an earlier run left a hold on acme open; it serves again\n'])
      expect(overlapsIn(service.commandEvents())).toEqual([])
      await expectOver(service)
      await expectNoOpenHold(service)
    },
  )
})

async function filesOf(pid: number): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`
  return Promise.all((await readdir(folder)).map((name) => readlink(join(folder, name))))
}
