/**
 * `doctor --tenant` tries the contract step by step. It names the step that a service breaks, and the tenant serves
 * afterwards.
 */
import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadSettings } from '../../../src/config/load.ts'
import { tryContract } from '../../../src/doctor/service/contract.ts'
import { Guardian } from '../../../src/hold/seal/guardian.ts'
import type { Ledger } from '../../../src/ledger/ledger.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { Event } from '../../../src/model/event.ts'
import { Failure } from '../../../src/model/failure.ts'
import { connectService } from '../../../src/service/connect.ts'
import { configure } from '../../support/cli/holdfast.ts'
import { eventually } from '../../support/processes.ts'
import { startDemo } from '../../support/service/demo-service.ts'

const cases = [
  ['keeps-handles', 'service: files while quiesced', /is not closed: process \d+ \(node/],
  ['wrong-inode', 'service: files while quiesced', /we see inode/],
  ['discontinuous', 'service: resume', /continuous/],
] as const

test.each(cases)(
  'a service that answers falsely (%s) is unfit: 1, and the step says why',
  async (misbehave, about, why) => {
    await using demo = await startDemo({ tenants: 1, bytes: 20_000, misbehave })
    const { code, stdout, stderr } = await configure(demo, { hold: '{ ttl: 3s }' }).run(
      'doctor',
      '--tenant',
      'acme',
      '--json',
    )
    const { steps } = JSON.parse(stdout) as {
      readonly steps: readonly { readonly about: string; readonly outcome: string; readonly said: string }[]
    }
    const [first] = steps.filter(({ outcome }) => outcome === 'unfit')
    expect([code, first?.about, first?.said], stderr).toEqual([1, about, expect.stringMatching(why)])
    await demo.servesAgain('acme', 5_000)
  },
)

test.each(['unknown-lease', 'refuses-resume'])(
  'a service that resumes no tenant (%s): the doctor waits until the lease has ended and the tenant serves',
  async (misbehave) => {
    await using demo = await startDemo({ tenants: 1, bytes: 20_000, misbehave })
    const holdfast = configure(demo, { hold: '{ ttl: 2s }' })
    const { code, stdout } = await holdfast.run('doctor', '--tenant', 'acme')
    expect([code, stdout]).toEqual([1, expect.stringMatching(/service: resume[^]*RESUME_FAILED[^]*serves again/)])
    expect((await demo.status('acme')).state).toBe('active')
    expect((await holdfast.run('resume', '--all')).stdout).toBe('no tenant is known to be paused (no hold is open)\n')
  },
)

test('killed while the tenant is paused: its guardian has it resumed, as after any run', async () => {
  await using demo = await startDemo({ tenants: 1, bytes: 20_000, misbehave: 'slow=3000' })
  const holdfast = configure(demo, { hold: '{ ttl: 60s }' })
  await using doctor = holdfast.start('doctor', '--tenant', 'acme')
  await eventually('it stands still', async () => (await demo.status('acme')).state === 'quiesced')
  doctor.kill('SIGKILL')
  await doctor.ended
  await demo.servesAgain('acme', 5_000)
  const resumed = await holdfast.run('resume', 'acme')
  expect([resumed.code, (await demo.status('acme')).state], resumed.stderr).toEqual([0, 'active'])
})

test('killed in a later hold, with a key or a short lease: its guardian ends it, with or without ledger', async () => {
  await Promise.all(
    [2, 3].map(async (nth) => {
      await using demo = await startDemo({ tenants: 1, bytes: 20_000, misbehave: 'slow=200' })
      const holdfast = configure(demo, { hold: '{ ttl: 60s }' })
      await using doctor = holdfast.start('doctor', '--tenant', 'acme')
      const holders = new Set<string>()
      await eventually(`hold ${nth} stands`, async () => {
        const { lease } = await demo.status('acme')
        if (lease) holders.add(lease.holder)
        return holders.size === nth
      })
      if (nth === 2) rmSync((await loadSettings(holdfast.config)).ledger.dir, { recursive: true })
      doctor.kill('SIGKILL')
      await doctor.ended
      await demo.servesAgain('acme', 10_000) // The lease with a key would stand for a minute.
      // No start of holdfast has ended it: the status only reads.
      const status = async (): Promise<string> => (await holdfast.run('status', '--format', 'nagios')).stdout
      if (nth === 3) await eventually('the ledger knows', async () => (await status()).includes('holds_overdue=0'))
    }),
  )
})

test(
  'beside a run it pauses no tenant (75), and without a tenant it ' +
    'says what it did not test; an unknown tenant is 64',
  async () => {
    await using demo = await startDemo({ tenants: 2, bytes: 20_000, misbehave: 'slow=1500:acme' })
    const holdfast = configure(demo)
    await using sweep = holdfast.start('sweep', '--only', 'acme', '--quiet')
    await eventually('the run is on', async () => (await demo.status('acme')).state === 'quiesced')
    const [paused, looked] = await Promise.all([holdfast.run('doctor', '--tenant', 'bolt'), holdfast.run('doctor')])
    expect([paused.code, paused.stderr]).toEqual([75, expect.stringMatching(/RUN_ACTIVE/)])
    expect([looked.code, looked.stdout]).toEqual([0, expect.stringMatching(/ledger[^]*another run uses it/)])
    expect((await sweep.ended).code).toBe(0)
    const unknown = await holdfast.run('doctor', '--tenant', 'nobody')
    expect([unknown.code, unknown.stderr]).toEqual([64, expect.stringMatching(/TENANT_UNKNOWN: .*"nobody"/)])
  },
)

test('a ledger whose disk becomes full between quiesce and resume leaves no tenant paused', async () => {
  await using demo = await startDemo({ tenants: 1, bytes: 20_000 })
  const settings = await loadSettings(configure(demo, { hold: '{ ttl: 30s }' }).config)
  await using ledger = await openLedger(settings.ledger.dir, newRunId())
  const full: Ledger = Object.assign(Object.create(ledger) as Ledger, {
    append: (event: Event) =>
      event.kind === 'hold-asked'
        ? ledger.append(event)
        : Promise.reject(new Failure('LEDGER_UNUSABLE', 'database or disk is full')),
  })
  await using guardian = await Guardian.begin(null)
  const trial = tryContract({
    service: demo.service,
    ledger: full,
    guardian,
    tenant: tenantId('acme'),
    settings,
    signal: AbortSignal.timeout(60_000),
  })
  await expect(trial).rejects.toMatchObject({ code: 'LEDGER_UNUSABLE' })
  expect((await demo.status('acme')).state).toBe('active')
})

test('a quiesce that fails, and a resume that fails after it: both are shown', async () => {
  await using demo = await startDemo({ tenants: 1, bytes: 20_000 })
  const settings = await loadSettings(configure(demo).config)
  await using ledger = await openLedger(settings.ledger.dir, newRunId())
  await using guardian = await Guardian.begin(null)
  // A resume that hangs is not run again, so that the test is short.
  const hooks = {
    kind: 'hooks',
    name: 'notes',
    tenants: ['/bin/echo', JSON.stringify(await demo.service.tenants(AbortSignal.timeout(60_000)))],
    quiesce: ['/bin/false', '{tenant}'],
    resume: ['/bin/sh', '-c', 'exec sleep 600', '{tenant}'],
    timeoutMs: 1_000,
  } as const
  await using service = await connectService(hooks)
  const steps = await tryContract({
    service,
    ledger,
    guardian,
    tenant: tenantId('acme'),
    settings: { ...settings, service: hooks },
    signal: AbortSignal.timeout(60_000),
  })
  expect(steps.filter(({ outcome }) => outcome !== 'skipped')).toEqual([
    expect.objectContaining({
      about: 'service: quiesce',
      outcome: 'unfit',
      said: expect.stringMatching(/^ADMIN_REFUSED: .*exit code 1$/) as string,
    }),
    expect.objectContaining({
      about: 'service: resume',
      outcome: 'paused',
      said: expect.stringMatching(/^RESUME_FAILED: .*it did not end within/) as string,
    }),
  ])
})

test('a service that is away: untried steps are named, and no step advises the doctor again', async () => {
  await using demo = await startDemo({ tenants: 1, bytes: 20_000 })
  const holdfast = configure(demo)
  await demo.program[Symbol.asyncDispose]()
  for (const words of [['doctor'], ['doctor', '--tenant', 'acme']]) {
    const { code, stdout, stderr } = await holdfast.run(...words)
    expect([words, code, stderr]).toEqual([words, 1, ''])
    expect(stdout).toMatch(
      /ok +snapshot folder[^]*UNFIT +service: capabilities: ADMIN_UNREACHABLE[^]*not tried +service: tenants/,
    )
    expect(stdout).toMatch(/not tried +service: quiesce and resume/)
    expect(stdout).not.toMatch(/holdfast doctor|are fit/)
  }
})

test('a registry that does not fit is a step, not the end of the doctor', async () => {
  await using demo = await startDemo({ tenants: 1, bytes: 20_000, misbehave: 'repeats-cursor' })
  const { code, stdout } = await configure(demo).run('doctor', '--tenant', 'acme')
  expect([code, stdout]).toEqual([
    1,
    expect.stringMatching(/UNFIT +service: tenants: REGISTRY_STALE[^]*not tried +service: quiesce and resume/),
  ])
  expect(stdout).not.toMatch(/holdfast doctor/)
})

test('a slow service is not blamed for a lease that ends meanwhile', async () => {
  await using demo = await startDemo({ tenants: 1, bytes: 20_000, misbehave: 'slow=300' })
  const { code, stdout } = await configure(demo, { hold: '{ ttl: 1s }' }).run('doctor', '--tenant', 'acme')
  expect([code, stdout], stdout).toEqual([0, expect.not.stringMatching(/UNFIT/)])
})
