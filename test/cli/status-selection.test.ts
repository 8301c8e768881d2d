/** `status` of some tenants: by name, by pattern, and what a sweep of some changes. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { damageIndex, makeDatabase } from '../support/cli/folder.ts'
import { holdfast, type ProgramResult, type ProgramOptions } from '../support/cli/program.ts'
import { openService, type TestService } from '../support/cli/service.ts'

let service: TestService
const run = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
  holdfast([...args, '--config', service.config], options)
beforeAll(async () => {
  service = await openService({
    tenants: (data) => {
      const bolt = makeDatabase(join(data, 'bolt.db'))
      damageIndex(bolt)
      return { acme: join(data, 'acme.db'), bolt, 'a*': join(data, 'star.db') }
    },
  })
  expect((await run(['sweep'])).code).toBe(2)
})
afterAll(() => service[Symbol.asyncDispose]())

describe('of some tenants', () => {
  const states = async (...args: readonly string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await run(['status', '--json', ...args])
    if (code !== 0) return [code, stderr.split('\n')[0]]
    const { state, tenants, selection } = JSON.parse(stdout) as {
      state: string
      tenants: { tenant: string }[]
      selection: unknown
    }
    return [state, tenants.map(({ tenant }) => tenant), selection]
  }

  const expectAll = async (asked: readonly (readonly [readonly string[], unknown])[]): Promise<void> =>
    expect(await Promise.all(asked.map(([args]) => states(...args)))).toEqual(asked.map(([, answer]) => answer))

  test('--tenant names them, --only matches them, both together take either', () =>
    expectAll([
      [
        ['--tenant', 'acme'],
        ['OK', ['acme'], { tenants: ['acme'], only: [] }],
      ],
      [
        ['--only', 'a*'],
        ['OK', ['a*', 'acme'], { tenants: [], only: ['a*'] }],
      ],
      [
        ['--only', 'a\\*'],
        ['OK', ['a*'], { tenants: [], only: ['a\\*'] }],
      ],
      [
        ['--tenant', 'bolt', '--only', 'ac*'],
        ['CRITICAL', ['acme', 'bolt'], { tenants: ['bolt'], only: ['ac*'] }],
      ],
      [[], ['CRITICAL', ['a*', 'acme', 'bolt'], null]],
    ]))

  test('an unknown name, and a pattern that matches no tenant, are 64, and 3 to a monitor', async () => {
    await expectAll([
      [
        ['--tenant', 'acme', 'nobody'],
        [64, 'holdfast: TENANT_UNKNOWN: the ledger knows nothing of "nobody"'],
      ],
      [
        ['--only', 'a*', 'x*'],
        [64, 'holdfast: TENANT_UNKNOWN: no tenant matches "x*"'],
      ],
    ])
    expect(await run(['status', '--format', 'monit', '--tenant', 'nobody'])).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/^HOLDFAST UNKNOWN - TENANT_UNKNOWN/) as string,
    })
    expect(await run(['status', '--tenant', 'nagios'])).toMatchObject({ code: 64, stdout: '' }) // It is a name here.
    const asked = await run(['status', '--format', 'nagios', '--json', '--tenant', 'nobody'])
    expect([asked.code, JSON.parse(asked.stdout)]).toMatchObject([64, { failure: { code: 'TENANT_UNKNOWN' } }])
  })
})

test('a sweep of some is no sweep of all, and its pauses are added to those before', async () => {
  const count = async (): Promise<number> =>
    Number(
      /^holdfast_pause_seconds_count\{service="test"\} (\d+)$/m.exec(
        (await run(['status', '--format', 'prometheus'])).stdout,
      )?.[1],
    )
  const whole = (await run(['status', '--json'])).stdout
  const before = await count()
  expect([before, (await run(['sweep', '--only', 'a*'])).code, await count()]).toEqual([3, 0, 5])
  const sweptAt = (text: string): unknown => (JSON.parse(text) as { lastFullSweepAt: number }).lastFullSweepAt
  expect(sweptAt((await run(['status', '--json'])).stdout)).toBe(sweptAt(whole))
})
