/**
 * If the processes that read snapshots cannot be confined, holdfast reports that before it holds anything. A user other
 * than root can read too, and the report states the confinement.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chownSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { damageIndex, makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { configure } from '../support/cli/holdfast.ts'
import {
  resultOf,
  launcher,
  reportIn,
  reportOf,
  single,
  otherUser,
  whyNoOtherUser,
  type ProgramResult,
} from '../support/cli/program.ts'
import { programOf } from '../support/host/other-process.ts'
import { startDemo } from '../support/service/demo-service.ts'

const isRoot = process.geteuid?.() === 0

const environment = { PATH: process.env['PATH'] ?? '' }

/** Runs holdfast as root without these capabilities, as in a container or a service unit. */
const without = (capabilities: readonly string[], args: readonly string[]): Promise<ProgramResult> =>
  resultOf(
    spawn(
      'setpriv',
      [`--bounding-set=${capabilities.map((one) => `-${one}`).join(',')}`, process.execPath, launcher, ...args],
      { env: environment, stdio: ['ignore', 'pipe', 'pipe'] },
    ),
  )

const cannotDrop = !isRoot
  ? 'needs root'
  : spawnSync('setpriv', ['--version']).status === 0
    ? null
    : 'setpriv is not installed'

describe.skipIf(cannotDrop !== null)(
  `root that lacks a capability${cannotDrop === null ? '' : ` (skipped: ${cannotDrop})`}`,
  () => {
    test.each([
      ['sys_chroot'],
      ['setuid'],
      ['setgid'],
      ['chown'],
      ['kill'],
      ['dac_override'],
      ['sys_chroot', 'setuid', 'setgid', 'chown', 'kill', 'dac_override'],
    ])('%s … gets CANNOT_CONFINE with exit code 1, and nothing is held', async (...capabilities) => {
      using folder = makeFolder()
      const path = makeDatabase(folder.in('a.db'))
      const report = reportIn(await without(capabilities, ['check', path, '--json']))
      expect([report.summary.exitCode, report.failure?.code, report.results]).toEqual([1, 'CANNOT_CONFINE', []])
      for (const capability of capabilities)
        expect(report.failure?.message).toContain(`CAP_${capability.toUpperCase()}`)
    })

    test('gets the same failure for copies and comparisons', async () => {
      using folder = makeFolder()
      const [a, b] = [makeDatabase(folder.in('a.db')), makeDatabase(folder.in('b.db'))]
      expect(reportIn(await without(['sys_chroot'], ['check', '--snapshot', a, '--json'])).failure?.code).toBe(
        'CANNOT_CONFINE',
      )
      const compared = await without(['sys_chroot'], ['compare', '--snapshot', a, b, '--json'])
      expect([
        compared.code,
        (JSON.parse(compared.stdout) as { readonly failure: { readonly code: string } }).failure.code,
      ]).toEqual([1, 'CANNOT_CONFINE'])
    })

    test('pauses no tenant, and the doctor reports that the machine is unfit', async () => {
      await using demo = await startDemo({ tenants: 1, bytes: 20_000 })
      const { config } = configure(demo)
      const swept = reportIn(await without(['sys_chroot'], ['sweep', '--config', config, '--json']))
      expect([swept.failure?.code, swept.results]).toEqual(['CANNOT_CONFINE', []])
      const doctor = await without(['sys_chroot'], ['doctor', '--config', config, '--json'])
      const { steps } = JSON.parse(doctor.stdout) as {
        readonly steps: readonly { readonly about: string; readonly outcome: string; readonly said: string }[]
      }
      expect([doctor.code, steps.filter(({ outcome }) => outcome === 'unfit')]).toEqual([
        1,
        [
          expect.objectContaining({
            about: 'check',
            said: expect.stringMatching(/CANNOT_CONFINE.*CAP_SYS_CHROOT/) as unknown,
          }),
        ],
      ])
      const fit = await configure(demo).run('doctor')
      expect([fit.code, fit.stdout]).toEqual([
        0,
        expect.stringMatching(
          /ok +check: a test database was found sound; the process that read it saw\s+only its own folder/,
        ),
      ])
    })
  },
)

const cannot = whyNoOtherUser()

test.skipIf(cannot !== null)(
  'a user other than root reads in a process without network and programs, and the ' +
    `report says so${cannot === null ? '' : ` (skipped: ${cannot})`}`,
  async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('a.db'))
    if (otherUser !== null) for (const one of [folder.path, path]) chownSync(one, otherUser.uid, otherUser.gid)
    const { verdict, readBy } = single(await reportOf(['check', path], otherUser === null ? {} : { as: otherUser }))
    expect([verdict, readBy?.confinement]).toEqual(['sound', ['few-calls']])
  },
)

/** Runs holdfast as on a kernel without seccomp. */
const withoutFilters = (args: readonly string[], as: typeof otherUser): Promise<ProgramResult> =>
  resultOf(
    spawn(process.execPath, [programOf('without-filters'), launcher, ...args], {
      env: environment,
      ...as,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )

test.skipIf(!isRoot)(
  'root on a kernel without seccomp still confines in two ways, the report says so, and ' +
    `the doctor warns${isRoot ? '' : ' (skipped: needs root)'}`,
  async () => {
    using folder = makeFolder()
    damageIndex(makeDatabase(folder.in('a.db')))
    const ran = await withoutFilters(['check', folder.in('a.db')], null)
    expect([ran.code, ran.stdout.replaceAll(/\s+/g, ' ')]).toEqual([
      2,
      expect.stringMatching(
        /read by SQLite [\d.]+, in a process that saw only its own folder, ran as a user without rights remedy/,
      ),
    ])
    await using demo = await startDemo({ tenants: 1, bytes: 20_000 })
    const doctor = await withoutFilters(['doctor', '--config', configure(demo).config], null)
    expect([doctor.code, doctor.stdout.replaceAll(/\s+/g, ' ')]).toEqual([
      0,
      expect.stringMatching(
        /warning check: a test database was found sound.*it could use the network next: use a kernel with seccomp/,
      ),
    ])
  },
)

test.skipIf(cannot !== null)(
  'a user other than root on a kernel without seccomp gets CANNOT_CONFINE' +
    (cannot === null ? '' : ` (skipped: ${cannot})`),
  async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('a.db'))
    if (otherUser !== null) for (const one of [folder.path, path]) chownSync(one, otherUser.uid, otherUser.gid)
    for (const args of [
      ['check', path],
      ['check', '--snapshot', path],
    ]) {
      const { verdict, failure } = single(reportIn(await withoutFilters([...args, '--json'], otherUser)))
      expect([verdict, failure?.code]).toEqual(['failed', 'CANNOT_CONFINE'])
    }
  },
)
