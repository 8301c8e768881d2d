/** What tests of holds set up once for a file: a hold fixture, a demo service, and a check that no lock is left. */
import { afterAll, beforeAll } from 'vitest'
import type { HoldStep } from '../../src/hold/record.ts'
import { openUnlockedCheck, type UnlockedCheck } from './hold/expect-unlocked.ts'
import { openHoldFixture, type HoldFixture } from './hold/hold-fixture.ts'
import { startDemo, type Demo, type DemoOptions } from './service/demo-service.ts'

/** In their order. */
export const holdSteps = [
  'preflight',
  'warm',
  'asked',
  'quiesced',
  'locked',
  'probed',
  'sealed',
  'proven',
  'copied',
  'proven-again',
  'probed-again',
  'released',
  'resumed',
  'kept',
] as const satisfies readonly HoldStep[]

export interface HoldSetUp {
  readonly fixture: HoldFixture
  readonly demo: Demo
  /** Expects that a second process gets every lock and lease on the live set. */
  expectUnlocked(file: string): Promise<void>
}

/**
 * Call it at the top of a `describe`. Its fields can be read in tests and hooks only.
 * @param options of the demo service; null: each test starts a service of its own
 */
export function useHold(options: DemoOptions | null): HoldSetUp {
  let fixture: HoldFixture | null = null
  let demo: Demo | null = null
  let unlocked: UnlockedCheck | null = null
  beforeAll(async () => {
    fixture = await openHoldFixture()
    if (options !== null) demo = await startDemo(options)
    unlocked = await openUnlockedCheck()
  })
  afterAll(async () => {
    await unlocked?.[Symbol.asyncDispose]()
    await demo?.[Symbol.asyncDispose]()
    await fixture?.[Symbol.asyncDispose]()
  })
  return {
    get fixture() {
      return present(fixture)
    },
    get demo() {
      return present(demo)
    },
    expectUnlocked: (file) => present(unlocked).expect(file),
  }
}

function present<Value>(value: Value | null): Value {
  if (value === null) throw new Error('this is not set up')
  return value
}
