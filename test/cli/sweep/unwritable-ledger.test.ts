/**
 * `resume`, and the first step of every run, make tenants serve whatever state the ledger is in, and report what could
 * not be written or read.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openHookedService, type HookedService } from '../../support/cli/hooked-service.ts'
import { longPattern } from '../../support/cli/long-pattern.ts'
import {
  resultOf,
  holdfast,
  killWithGuardian,
  start,
  type RunningProgram,
  type ProgramResult,
} from '../../support/cli/program.ts'
import { openService, type TestService } from '../../support/cli/service.ts'
import { eventually } from '../../support/processes.ts'

const isRoot = process.getuid?.() === 0
const asRoot = test.skipIf(!isRoot)
/** The children of a killed run close the ledger a moment later. */
async function onceFree(command: string, ...args: readonly string[]): Promise<void> {
  await eventually(`${command} ${args.join(' ')}`, () => spawnSync(command, args).status === 0)
}
const mount = (ledger: string, how: 'ro' | 'rw'): Promise<void> => onceFree('mount', '-o', `remount,${how}`, ledger)
const fill = (path: string): void => {
  try {
    writeFileSync(path, Buffer.alloc(4_000_000))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

interface UnwritableLedger extends AsyncDisposable {
  readonly service: HookedService
  readonly ledger: string
  readonly run: (...args: readonly string[]) => Promise<ProgramResult>
}

/**
 * A service by hooks with a tenant that a killed sweep left standing still, and its ledger on a small disk of its own
 * where there is root.
 */
async function leftPaused(): Promise<UnwritableLedger> {
  let sweeping: RunningProgram | null = null
  const service = await openHookedService({
    tenants: { acme: { wal: true } },
    onPause: () => killWithGuardian(sweeping),
  })
  const ledger = service.folder.in('ledger')
  if (isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', ledger])
  sweeping = start(['sweep', '--config', service.config])
  await resultOf(sweeping)
  sweeping = null
  expect(service.paused()).toEqual(['acme'])
  return {
    service,
    ledger,
    run: (...args) => holdfast([...args, '--config', service.config]),
    async [Symbol.asyncDispose]() {
      if (isRoot) await onceFree('umount', ledger)
      await service[Symbol.asyncDispose]()
    },
  }
}

/** A gate with a lease that a killed sweep left, and that will not end by itself for a minute. */
async function leftLeased(): Promise<TestService & Pick<UnwritableLedger, 'run'>> {
  let sweeping: RunningProgram | null = null
  const service = await openService({
    tenants: (data) => ({ acme: join(data, 'acme.db') }),
    settings: { hold: { ttl: '60s' } },
    onClose: () => killWithGuardian(sweeping),
  })
  sweeping = start(['sweep', '--config', service.config])
  await resultOf(sweeping)
  sweeping = null
  expect(service.actions).toEqual(['close acme'])
  return {
    ...service,
    run: (...args) => holdfast([...args, '--config', service.config]),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  }
}

describe('a disk that is full, or may only be read (as root)', () => {
  asRoot.each([
    [
      'full',
      (ledger: string): void => fill(join(ledger, 'fill')),
      (ledger: string): void => rmSync(join(ledger, 'fill')),
    ],
    [
      'read-only',
      (ledger: string): Promise<void> => mount(ledger, 'ro'),
      (ledger: string): Promise<void> => mount(ledger, 'rw'),
    ],
  ] as const)(
    '%s: resume --all resumes, says that it could not write it down (1), and does so when it can',
    async (_what, spoil, mend) => {
      await using left = await leftPaused()
      await spoil(left.ledger)
      const resumed = await left.run('resume', '--all')
      expect([resumed.code, left.service.paused()], resumed.stderr).toEqual([1, []])
      expect(resumed.stderr).toMatch(
        longPattern(
          /^an earlier run left a hold on acme open; it serves again\nholdfast: /,
          /LEDGER_UNUSABLE: acme: the hold has ended, but the ledger could not be written/,
        ),
      )
      expect((await left.run('status', '--format', 'nagios')).stdout).toMatch(/^HOLDFAST CRITICAL - PAUSED\?/)
      await mend(left.ledger)
      expect((await left.run('resume', '--all')).code).toBe(0)
      expect(await left.run('resume', '--all')).toMatchObject({
        code: 0,
        stdout: 'no tenant is known to be paused (no hold is open)\n',
        stderr: '',
      })
    },
  )

  asRoot('a run resumes paused tenants before it says that it cannot begin', async () => {
    await using left = await leftPaused()
    await mount(left.ledger, 'ro')
    const swept = await left.run('sweep')
    expect([swept.code, left.service.paused(), left.service.actions]).toEqual([1, [], ['pause acme', 'resume acme']])
    expect(swept.stderr).toMatch(/acme open; it serves again\. The ledger could not record this[^]*LEDGER_UNUSABLE/)
  })

  asRoot('a run on a full disk does so too', async () => {
    await using left = await leftPaused()
    fill(join(left.ledger, 'fill'))
    const swept = await left.run('check', '--tenant', 'acme')
    expect([swept.code, left.service.paused(), left.service.actions], swept.stderr).toEqual([
      1,
      [],
      ['pause acme', 'resume acme'],
    ])
  })
})

const losses: readonly (readonly [string, (ledger: string) => void])[] = [
  ['gone', (ledger) => rmSync(join(ledger, 'ledger.db'))],
  ['emptied', (ledger) => truncateSync(join(ledger, 'ledger.db'), 0)],
  ['noise', (ledger) => writeFileSync(join(ledger, 'ledger.db'), Buffer.alloc(50_000, 0xa5))],
]

describe('a ledger that cannot be read', () => {
  test.each(losses)(
    '%s, by hooks: which tenants are paused is unknown (4, each time), and `resume ID` needs no ledger',
    async (_what, lose) => {
      await using left = await leftPaused()
      for (const part of ['-wal', '-shm']) rmSync(join(left.ledger, `ledger.db${part}`), { force: true })
      lose(left.ledger)
      for (let time = 0; time < 2; time++) {
        const all = await left.run('resume', '--all')
        expect([all.code, all.stdout, left.service.paused()], all.stderr).toEqual([4, '', ['acme']])
        expect(all.stderr).toMatch(
          longPattern(
            /^holdfast: PAUSED: a tenant may be paused\. LEDGER_UNUSABLE: holdfast does not /,
            /know which holds are open.*\n {2}next: .*holdfast resume --config \S+ ID.*\n$/,
          ),
        )
      }
      const named = await left.run('resume', 'acme')
      expect([named.code, left.service.paused(), left.service.actions], named.stderr).toEqual([
        3,
        [],
        ['pause acme', 'resume acme'],
      ])
      expect(named.stderr).toMatch(
        /^acme serves\. The ledger could not be read, so it is not known whether a hold was open\n/,
      )
      const swept = await left.run('sweep', '--quiet')
      expect([swept.code, swept.stderr]).toEqual([
        0,
        expect.stringMatching(/^holdfast: ledger: the ledger (is gone|was damaged)/),
      ])
    },
  )

  test.each(losses)('%s, by the admin API: the service names the paused tenants', async (_what, lose) => {
    await using left = await leftLeased()
    for (const part of ['-wal', '-shm']) rmSync(join(left.ledger, `ledger.db${part}`), { force: true })
    lose(left.ledger)
    const all = await left.run('resume', '--all')
    expect([all.code, left.actions], all.stderr).toEqual([4, ['close acme']])
    expect(all.stderr).toMatch(/leases of a holdfast for acme/)
    const named = await left.run('resume', 'acme')
    expect([[0, 3].includes(named.code ?? 1), left.actions], named.stderr).toEqual([true, ['close acme', 'open acme']])
    expect([0, 3]).toContain((await left.run('resume', '--all')).code)
  })

  test(
    'gone with its folder it is as if there had been no run: nothing is ' +
      'known to stand open, and `resume ID` resumes that tenant',
    async () => {
      await using service = await openHookedService({
        tenants: { acme: { wal: true } },
        onResume: (id) => {
          if (id === 'nobody') throw new Error('no such tenant')
        },
      })
      const run = (...args: readonly string[]): Promise<ProgramResult> =>
        holdfast(['resume', ...args, '--config', service.config])
      const none = expect.stringMatching(
        /there is no ledger in .*no hold is known; `holdfast resume --config \S+ ID` needs none/,
      ) as string
      expect(await run('--all')).toMatchObject({
        code: 0,
        stdout: 'no tenant is known to be paused (no hold is open)\n',
        stderr: none,
      })
      expect(service.actions).toEqual([])
      expect(await run('acme')).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(
          /^acme serves\. There is no ledger, so it is not known whether a hold was open\n/,
        ) as string,
      })
      expect(service.actions).toEqual(['resume acme'])
      expect(JSON.parse((await run('acme', '--json')).stdout)).toEqual({
        schema: 'holdfast.resume/1',
        holds: [],
        presumed: { tenant: 'acme' },
      })
      expect(await run('nobody')).toMatchObject({
        code: 64,
        stderr: expect.stringMatching(
          /TENANT_UNKNOWN: neither .* nobody; its resume command was run all the same/,
        ) as string,
      })
    },
  )
})

test('gone with its folder while a lease stands: the service names it, and `resume --all` is 4', async () => {
  await using left = await leftLeased()
  rmSync(left.ledger, { recursive: true })
  const all = await left.run('resume', '--all')
  expect([all.code, left.actions], all.stderr).toEqual([4, ['close acme']])
  expect(all.stderr).toMatch(/leases of a holdfast for acme/)
  expect((await left.run('resume', 'acme')).code).toBe(0)
  expect(left.actions).toEqual(['close acme', 'open acme'])
  expect((await left.run('resume', '--all')).code).toBe(0)
})

test('a folder of the ledger that cannot be made leaves no tenant paused', async () => {
  await using left = await leftLeased()
  const settings = JSON.parse(readFileSync(left.config, 'utf8')) as object
  const config = left.folder.in('elsewhere.yaml')
  const file = left.folder.in('file')
  writeFileSync(file, '')
  writeFileSync(config, JSON.stringify({ ...settings, ledger: { dir: join(file, 'ledger') } }), { mode: 0o600 })
  const named = await holdfast(['resume', 'acme', '--config', config])
  expect([named.code, left.actions], named.stderr).toEqual([0, ['close acme', 'open acme']])
})
