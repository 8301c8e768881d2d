/**
 * A service in another language, written from admin-api.yaml alone, is fit. The same service with one promise broken is
 * unfit at the step for that promise, and its tenants serve afterwards.
 */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import PQueue from 'p-queue'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { loadSettings } from '../../../src/config/load.ts'
import { musts } from '../../../src/doctor/musts.ts'
import { tryContract } from '../../../src/doctor/service/contract.ts'
import { tryWithoutPause } from '../../../src/doctor/service/without-pause.ts'
import type { DoctorStep } from '../../../src/doctor/steps.ts'
import { Guardian } from '../../../src/hold/seal/guardian.ts'
import type { Ledger } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { Transport } from '../../../src/service/client/transport.ts'
import { connectService } from '../../../src/service/connect.ts'
import { configure, type Holdfast } from '../../support/cli/holdfast.ts'
import { acme, forever } from '../../support/service/client.ts'
import { variants } from '../../support/service/variants.ts'

const program = fileURLToPath(new URL('service.py', import.meta.url))
const hasPython = spawnSync('python3', ['-c', 'import sqlite3, http.server']).status === 0
const tokened = new Set(['fit-with-token', 'looks-without-token', 'acts-without-token', 'no-challenge'])
/** So many instances are tried at a time. With more, leases of 20 s end by themselves on a busy machine. */
const atATime = 4

describe.skipIf(!hasPython)('a service in Python (skipped where there is no python3 with sqlite3)', () => {
  let home: string
  let service: ChildProcessByStdio<Writable, Readable, null>
  let ledger: Ledger
  let guardian: Guardian
  /** Holders of holds that the guardian knows now, and what each service was asked for. */
  const guarded = new Set<string>()
  const asked = new Set<string>()
  const askedUnguarded: string[] = []
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'conformance-'))
    writeFileSync(join(home, 'token'), 'secret', { mode: 0o600 })
    service = startService(home)
    await once(service.stdout, 'data')
    ledger = await openLedger(join(home, 'ledger'), newRunId())
    guardian = await Guardian.begin(null)
    const guard = guardian.guard.bind(guardian)
    vi.spyOn(guardian, 'guard').mockImplementation((hold) => {
      const told = guard(hold)
      guarded.add(hold.holder)
      return {
        [Symbol.dispose]: () => {
          guarded.delete(hold.holder)
          told[Symbol.dispose]()
        },
      }
    })
    const ask = Reflect.get(Transport.prototype, 'send')
    vi.spyOn(Transport.prototype, 'send').mockImplementation(function (this: Transport, request, signal) {
      const { holder } = (request.body ?? {}) as { readonly holder?: string }
      if (request.path.endsWith('/quiesce') && holder) {
        asked.add(holder)
        if (!guarded.has(holder)) askedUnguarded.push(holder)
      }
      return ask.call(this, request, signal)
    })
  })
  afterAll(async () => {
    vi.restoreAllMocks()
    await guardian[Symbol.asyncDispose]()
    await ledger[Symbol.asyncDispose]()
    service.stdin.end()
    await once(service, 'close')
    rmSync(home, { recursive: true, force: true })
  })

  const configured = (name: string): Holdfast =>
    configure(
      { home: join(home, name), dir: join(home, name, 'data'), socket: join(home, name, 'admin.sock') },
      // Long, for a machine under load. No variant leaves a tenant paused until that lease ends.
      { hold: '{ ttl: 20s }', ...(tokened.has(name) ? { tokenFile: join(home, 'token') } : {}) },
    )

  async function stepsOf(name: string): Promise<readonly DoctorStep[]> {
    const settings = await loadSettings(configured(name).config)
    await using client = await connectService(settings.service)
    const looks = await tryWithoutPause(client, settings, forever)
    const trial = await tryContract({ service: client, ledger, guardian, tenant: acme, settings, signal: forever })
    expect([name, (await client.servingStatus(acme, forever)).state]).toEqual([name, 'active'])
    return [...looks, ...trial]
  }

  test('is fit, by each step that the table of the help names', async () => {
    const [plain, withToken] = await Promise.all([stepsOf('fit'), stepsOf('fit-with-token')])
    expect([...plain, ...withToken].filter(({ outcome }) => outcome !== 'fit')).toEqual([])
    // A first hold, one that would be nested, one for each kind of wrong request, one with a key, and a short one.
    expect([asked.size, askedUnguarded, [...guarded]]).toEqual([2 * 8, [], []])
    const tried = new Set([...plain, ...withToken].map(({ about }) => about.replace('service: ', '')))
    const named = musts.flatMap(({ steps }) => steps)
    expect(named.filter((one) => !tried.has(one))).toEqual([])
    expect(musts.filter(({ steps, untried }) => (steps.length === 0) !== (untried !== undefined))).toEqual([])
  })

  test('each promise that a step tries is broken by one of the variants', () => {
    const broken = new Set(Object.values(variants))
    expect(musts.filter(({ steps }) => steps.length > 0 && !steps.some((one) => broken.has(one)))).toEqual([])
  })

  test('each promise broken: unfit at the step for it, and the tenant serves', async () => {
    const queue = new PQueue({ concurrency: atATime })
    const wrong = await queue.addAll(
      Object.entries(variants).map(([name, about]) => async () => {
        const steps = await stepsOf(name)
        const found = steps.find((step) => step.about === `service: ${about}`)
        return found?.outcome === 'unfit'
          ? []
          : [name, found, steps.filter(({ outcome }) => outcome !== 'fit').map((step) => step.about)]
      }),
    )
    expect(wrong.filter((one) => one.length > 0)).toEqual([])
    // Each hold is known to the guardian before the service is asked for it, and until it is over.
    expect([askedUnguarded, [...guarded]]).toEqual([[], []])
  })

  test(
    'the doctor says so, each step in a line on a pipe: fit and 0, ' +
      'unfit and 1; never fit where a step was not tried',
    async () => {
      const [whole, without, broken] = await Promise.all([
        configured('fit').run('doctor', '--tenant', 'acme'),
        configured('fit-with-token').run('doctor'),
        configured('nests').run('doctor', '--tenant', 'acme'),
      ])
      expect([whole.code, whole.stdout], whole.stderr).toEqual([
        0,
        expect.stringMatching(/\nThis machine and service are fit for holdfast\./),
      ])
      expect([without.code, without.stdout]).toEqual([
        0,
        expect.stringMatching(
          /not tried +service: quiesce and resume[^]*\nNothing is unfit\. 1 step was not tried\.\n$/,
        ),
      ])
      expect([broken.code, broken.stdout]).toEqual([
        1,
        expect.stringMatching(/UNFIT +service: no nesting[^]* steps (?:is|are) unfit\./),
      ])
      for (const { stdout } of [whole, without, broken]) {
        expect(
          stdout.split('\n').filter((line) => !/^ {2}(?:ok|warning|UNFIT|not tried) |^ {12}next: |^\S|^$/.test(line)),
        ).toEqual([])
        expect(stdout).not.toMatch(/holdfast doctor/)
      }
    },
  )
})

function startService(home: string): ChildProcessByStdio<Writable, Readable, null> {
  return spawn('python3', ['-B', program, home, 'fit', 'fit-with-token', ...Object.keys(variants)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}
