/** A hold that needs a permit to pause: when it asks for it, what it does without, and what it says at the end. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PausePermit } from '../../../src/hold/pause/pause-permit.ts'
import { monotonicMs } from '../../../src/host/clock.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { Failure } from '../../../src/model/failure.ts'
import type { Service } from '../../../src/service/port.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { startDemo, type Demo } from '../../support/service/demo-service.ts'

let fixture: HoldFixture
let demo: Demo
beforeAll(async () => {
  fixture = await openHoldFixture()
  demo = await startDemo({ tenants: 1, bytes: 30_000 })
})
afterAll(async () => {
  await demo[Symbol.asyncDispose]()
  await fixture[Symbol.asyncDispose]()
})

/** Notes in `actions` what the hold asks of the permit, and of the service. */
function scene(windowsMs: readonly (number | null)[], changed: Partial<Service> = {}) {
  const actions: string[] = []
  let entered = 0
  const permit: PausePermit = {
    async takeSlot() {
      const windowMs = windowsMs[entered++] ?? null
      actions.push('enter')
      if (windowMs === null) throw new Failure('PAUSE_NOT_GRANTED', 'no tenant may be paused now: a test')
      return {
        beginsByMs: monotonicMs() + windowMs,
        markAsked: () => actions.push('asked'),
        markAnswered: () => actions.push('answered'),
        [Symbol.dispose]: () => actions.push('given back'),
      }
    },
    async waitForSlot() {
      actions.push('ready')
    },
  }
  const own: Partial<Service> = {
    quiesce: (...asked) => {
      actions.push('quiesce')
      return demo.service.quiesce(...asked)
    },
    ...changed,
  }
  const service = new Proxy(demo.service, {
    get: (real, name) => {
      const value: unknown = name in own ? Reflect.get(own, name) : Reflect.get(real, name)
      return typeof value === 'function' ? value.bind(real) : value
    },
  })
  const [id = ''] = demo.tenants
  const { ledger } = fixture
  const connection = { tenant: tenantId(id), service, ledger, socket: demo.socket, permit, onRetry: () => undefined }
  return { actions, connection, hold: () => fixture.hold(demo.fileOf(id), connection) }
}

const codeOf = (held: Awaited<ReturnType<HoldFixture['hold']>>): unknown =>
  held.kind === 'snapshot' ? 'snapshot' : [held.kind, held.failure.code, held.failure.tenantState]

test('it enters right before the request, and gives the slot back when the resume was answered', async () => {
  const { actions, hold } = scene([60_000])
  const held = await hold()
  expect(codeOf(held)).toBe('snapshot')
  if (held.kind === 'snapshot') await held.snapshot[Symbol.asyncDispose]()
  expect(actions).toEqual(['enter', 'asked', 'quiesce', 'answered', 'given back'])
})

test('a slot that is over before the request is not used: the hold begins again, three times at most', async () => {
  const late = scene([-1, -1, -1])
  expect(codeOf(await late.hold())).toEqual(['refused', 'PAUSE_TOO_LATE', 'untouched'])
  expect(late.actions).toEqual(['enter', 'given back', 'enter', 'given back', 'enter', 'given back'])
  const second = scene([-1, 60_000])
  const held = await second.hold()
  expect(codeOf(held)).toBe('snapshot')
  if (held.kind === 'snapshot') await held.snapshot[Symbol.asyncDispose]()
  expect(second.actions.filter((action) => action === 'quiesce')).toHaveLength(1)
  expect(await fixture.ledger.openHolds()).toEqual([])
})

test('without leave it lets go of everything, waits, and begins again as often as necessary', async () => {
  const { actions, hold } = scene([null, null, null, null, 60_000])
  const held = await hold()
  expect(codeOf(held)).toBe('snapshot')
  if (held.kind === 'snapshot') await held.snapshot[Symbol.asyncDispose]()
  expect(actions.slice(0, -3).filter((action) => action === 'ready')).toHaveLength(4)
  expect(fixture.remainingFiles()).toEqual([])
})

test('a refusal that surely paused nobody leaves no doubt', async () => {
  const refuse = (): Promise<never> => Promise.reject(new Failure('SERVICE_BUSY', 'a migration runs'))
  const { actions, hold } = scene([60_000], { quiesce: refuse })
  expect(codeOf(await hold())).toEqual(['undecided', 'SERVICE_BUSY', 'untouched'])
  expect(actions).toEqual(['enter', 'asked', 'answered', 'given back'])
})

test('if neither the request nor a resume was answered, the slot stays in doubt', async () => {
  const lose = (): Promise<never> =>
    Promise.reject(new Failure('ADMIN_UNREACHABLE', 'the answer was lost', { tenant: 'maybe-paused' }))
  const { actions, hold } = scene([60_000], { quiesce: lose })
  expect(codeOf(await hold())).toMatchObject(['undecided', 'ADMIN_UNREACHABLE', 'active'])
  expect(actions).toEqual(['enter', 'asked', 'given back'])
})

test('a request that is not answered in the time of its slot is given up', async () => {
  const hang = (_: unknown, __: unknown, signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  const { actions, hold } = scene([200], { quiesce: hang, callMsMax: 300 })
  const startedMs = monotonicMs()
  expect(codeOf(await hold())).toMatchObject(['undecided', 'QUIESCE_TIMEOUT', 'active'])
  expect(monotonicMs() - startedMs).toBeLessThan(15_000)
  expect(actions).toEqual(['enter', 'asked', 'given back'])
})
