/** A person, a supervisor or the kernel interrupts holdfast: SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSTOP. */
import { truncateSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HoldStep } from '../../src/hold/record.ts'
import type { Report } from '../../src/model/result/report.ts'
import { configure, type Holdfast } from '../support/cli/holdfast.ts'
import { openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import { descendantsOf, eventually, isRunning, type Program } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

const ttlMs = 2_000

describe('holdfast, during a hold,', () => {
  let demo: Demo
  let holdfast: Holdfast
  let unlocked: UnlockedCheck
  beforeAll(async () => {
    demo = await startDemo({ tenants: 3, bytes: 20_000 })
    // Large, so that a signal can come during its copy.
    truncateSync(demo.fileOf('crate'), 250e6)
    holdfast = configure(demo, { hold: `{ ttl: ${ttlMs}ms, drainTimeout: 500ms, maxPause: 10s, warmAbove: 100MB }` })
    unlocked = await openUnlockedCheck()
  })
  afterAll(async () => {
    await unlocked[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
  })

  /** Starts a check of the large tenant, and waits until the hold has reached a step. */
  async function checkUntil(step: HoldStep): Promise<Program> {
    const program = holdfast.start('check', '--tenant', 'crate', '--depth', 'quick', '--json', '--log-level', 'debug')
    await eventually(`the hold reaches "${step}"`, () => program.stderr().includes(`"step":"${step}"`))
    return program
  }

  /** Tries until the signal that freezes it comes while it has the locks. */
  async function checkFrozenUnderLocks(): Promise<Program> {
    for (let tries = 0; tries < 20; tries++) {
      const program = await checkUntil('locked')
      program.kill('SIGSTOP')
      await sleep(200) // What it has written by then arrives.
      if (!program.stderr().includes('"step":"released"')) return program
      program.kill('SIGCONT')
      await program.ended
    }
    throw new Error('the check was never frozen under its locks')
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)('resumes on %s and ends with exit code %i', async (signal, code) => {
    await using program = await checkUntil('proven')
    const children = descendantsOf(program.pid)
    program.kill(signal)
    const ended = await program.ended
    expect({ code: ended.code, signal: ended.signal }, ended.stderr).toEqual({ code, signal: null })
    expect((JSON.parse(ended.stdout) as Report).summary).toMatchObject({ selected: 1, notCovered: 1, exitCode: code })
    await expectOver(children.map(({ pid }) => pid))
  })

  it.each(['preflight', 'asked', 'copied', 'resumed', 'kept'] as const)(
    'ends after "%s" on SIGTERM and SIGINT, with its tenant serving and its report printed',
    async (step) => {
      await using program = await checkUntil(step)
      const children = descendantsOf(program.pid)
      program.kill('SIGTERM')
      program.kill('SIGINT') // Either of the two may arrive first; the second changes nothing.
      const ended = await program.ended
      expect([130, 143]).toContain(ended.code)
      expect((JSON.parse(ended.stdout) as Report).schema).toBe('holdfast.report/1')
      await expectOver(children.map(({ pid }) => pid))
    },
  )

  it('opens no debugger on SIGUSR1 in any of its processes, and continues', async () => {
    await using program = await checkUntil('proven')
    const all = [program.pid, ...descendantsOf(program.pid).map(({ pid }) => pid)]
    for (const pid of all) process.kill(pid, 'SIGUSR1')
    const ended = await program.ended
    expect([ended.code, ended.signal], ended.stderr).toEqual([2, null]) // The tenant is a file with a hole.
    expect(ended.stderr).not.toMatch(/Debugger/)
    expect(all.length).toBeGreaterThan(3)
  })

  it(
    'frozen while it has locks is killed by its guardian when the lease ' +
      'must have ended, and the service answers for other tenants meanwhile (F13)',
    async () => {
      await using program = await checkFrozenUnderLocks()
      const children = descendantsOf(program.pid)
      const frozenAt = performance.now()
      let slowestMs = 0
      while (isRunning(program.pid) && performance.now() - frozenAt < 10_000) {
        const askedAt = performance.now()
        expect((await demo.status('acme')).state).toBe('active')
        slowestMs = Math.max(slowestMs, performance.now() - askedAt)
        await sleep(10)
      }
      expect(await program.ended).toMatchObject({ signal: 'SIGKILL' })
      expect(performance.now() - frozenAt).toBeLessThan(ttlMs + 5_000)
      expect(slowestMs, 'the service answers for its other tenants').toBeLessThan(ttlMs)
      await demo.servesAgain('crate', 10_000)
      for (const { pid, command } of children) await eventually(`${command} has ended`, () => !isRunning(pid))
      await unlocked.expect(demo.fileOf('crate'))

      const next = await holdfast.run('check', '--tenant', 'acme')
      expect(next.code, next.stderr).toBe(0)
      expect(next.stderr).toBe('') // The guardian has resumed the tenant and recorded that in the ledger.
      expect(holdfast.snapshotsLeft()).toEqual([])
    },
  )

  async function expectOver(children: readonly number[]): Promise<void> {
    expect((await demo.status('crate')).state).toBe('active')
    expect(await demo.service.leases(AbortSignal.timeout(60_000))).toEqual([])
    for (const pid of children) await eventually('its children have ended', () => !isRunning(pid))
    expect(holdfast.snapshotsLeft()).toEqual([])
    await unlocked.expect(demo.fileOf('crate'))
  }
})
