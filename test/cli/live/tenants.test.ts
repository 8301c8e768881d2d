/** Tenants whose hold.require is `pinned`: what every command says of them, while their program runs on. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Backup } from '../../../src/model/result/backup.ts'
import { damageIndex } from '../../support/cli/folder.ts'
import { reportIn } from '../../support/cli/program.ts'
import { openUnitHost } from '../../support/cli/units.ts'

const proves = /locks of SQLite kept the copied bytes still while programs went on\.\s+That does not\s+show/

test('status, history and the list of backups name the level, and what it proves', async () => {
  using host = openUnitHost()
  expect((await host.holdfast('sweep')).code).toBe(0)
  for (const args of [['status'], ['history', 'vault'], ['backups', 'list']]) {
    const { code, stdout } = await host.holdfast(...args)
    expect([args, code, stdout]).toEqual([args, 0, expect.stringMatching(proves)])
    expect(stdout).toMatch(/\bpinned\b/)
  }
  expect([host.takeCalls(), host.isRunning()]).toEqual([[], true])
})

test('a backup keeps the level: compare and the plan of a restore say it', async () => {
  using host = openUnitHost()
  expect((await host.holdfast('sweep')).code).toBe(0)
  const listed = JSON.parse((await host.holdfast('backups', 'list', '--json')).stdout) as { backups: readonly Backup[] }
  const [backup] = listed.backups
  expect([listed.backups.length, backup?.level, backup?.state]).toEqual([1, 'pinned', 'verified'])
  const compared = await host.holdfast('compare', 'vault', `backup:${backup?.id}`)
  expect([compared.code, compared.stdout]).toEqual([5, expect.stringMatching(proves)]) // It has written since.
  expect(host.takeCalls()).toEqual([])
  const plan = await host.holdfast('restore', '--tenant', 'vault', '--from', backup?.id ?? '')
  expect(plan.stdout).toMatch(/copied\s+beside\s+its\s+program\s+\(level\s+pinned\)/)
  expect([host.takeCalls(), host.isRunning()]).toEqual([['stop vault.service', 'start vault.service'], true])
})

test('pull copies beside the program, and the doctor says what that costs', async () => {
  using host = openUnitHost()
  const pulled = join(host.folder.path, 'pulled')
  const pull = await host.holdfast('pull', 'vault', pulled)
  expect([pull.code, pull.stdout, readdirSync(pulled)]).toEqual([
    0,
    expect.stringMatching(proves),
    expect.arrayContaining(['db.sqlite3']),
  ])
  const doctor = await host.holdfast('doctor')
  expect(doctor.stdout).toMatch(
    /live mode: hold\.require: pinned counts for 1 file; 1 file in WAL mode: no\s+program would wait/,
  )
  expect([host.takeCalls(), host.isRunning()]).toEqual([[], true])
})

test('`sweep --heal` changes nothing, stops no program, and says what a repair needs', async () => {
  using host = openUnitHost({ before: damageIndex })
  const swept = await host.holdfast('sweep', '--heal', '--json')
  const report = reportIn(swept) as ReturnType<typeof reportIn> & {
    readonly healing: { readonly results: readonly unknown[]; readonly left: readonly { readonly why: string }[] }
  }
  expect(report.results.map(({ verdict, evidence }) => [verdict, evidence.level])).toEqual([['damaged', 'pinned']])
  expect(report.healing.results).toEqual([])
  expect(report.healing.left.map(({ why }) => why)).toEqual([
    expect.stringMatching(/^it was checked beside its program .* a change needs a sealed file: `holdfast repair`/),
  ])
  expect([host.takeCalls(), host.isRunning()]).toEqual([[], true])
})
