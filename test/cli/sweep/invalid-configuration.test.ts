/** A configuration that became invalid: what a schedule runs goes on with the last valid one, and says so (I5.1). */
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCheckedText, writeCheckedText } from '../../../src/host/private-files/checked-file.ts'
import { openFileScene } from '../../support/cli/open-files.ts'
import { shortVerdict, holdfast, reportIn, reportOf } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

test('I5.1: sweep, status and resume go on and name the mistake; doctor and remedies refuse', async () => {
  await using service = await openService()
  const withConfig = (...args: readonly string[]): readonly string[] => [...args, '--config', service.config]
  expect((await reportOf(withConfig('sweep'))).summary.sound).toBe(2)
  const valid = readFileSync(service.config, 'utf8')
  writeFileSync(service.config, valid.replace('"ttl"', '"tttl"'))
  const mistake = /holdfast\.yaml:\d+:\d+: unknown key hold\.tttl: did you mean ttl\?/

  const swept = await holdfast(withConfig('sweep', '--json', '--quiet'))
  const { run, results } = reportIn(swept)
  expect([swept.code, results.map(shortVerdict)]).toEqual([0, ['sound', 'sound']])
  expect(run.notices).toEqual([expect.stringMatching(/^THE CONFIGURATION IS NOT VALID: /)])
  expect(run.notices?.[0]).toMatch(mistake)
  expect(swept.stderr).toMatch(/holdfast: THE CONFIGURATION IS NOT VALID: /)
  expect(swept.stderr).toMatch(mistake)
  expect(swept.stderr).toMatch(
    /this command uses the copy of \S+Z until \S+Z \(registry\.grace is 8 h\); correct the file/,
  )

  const going: readonly (readonly [readonly string[], number])[] = [
    [['status'], 0],
    [['status', '--format', 'nagios'], 1], // An old configuration is STALE.
    [['resume', '--all'], 0],
  ]
  for (const [args, code] of going) {
    const ran = await holdfast(withConfig(...args))
    expect([args.join(' '), ran.code, ran.stderr]).toEqual([args.join(' '), code, expect.stringMatching(mistake)])
  }
  for (const args of [
    ['sweep', '--heal'],
    ['repair', '--tenant', 'acme'],
    ['repair', '--tenant', 'acme', '--apply'],
    ['restore', '--tenant', 'acme'],
    ['doctor'],
  ]) {
    service.actions.splice(0)
    const ran = await holdfast(withConfig(...args))
    expect([args.join(' '), ran.code, ran.stderr]).toEqual([args.join(' '), 78, expect.stringMatching(mistake)])
    expect(service.actions).toEqual([])
  }
  // A valid file is used again, and becomes the next copy.
  writeFileSync(service.config, valid)
  expect((await reportOf(withConfig('sweep'))).run.notices).toBeUndefined()
})

test('I5.1: a first run has no copy, and ends with 78 as ever', async () => {
  await using service = await openService()
  writeFileSync(service.config, `${readFileSync(service.config, 'utf8')}\nnonsense`)
  chmodSync(service.config, 0o600)
  for (const args of [['sweep'], ['status'], ['resume', '--all']]) {
    const ran = await holdfast([...args, '--config', service.config])
    expect([args[0], ran.code]).toEqual([args[0], 78])
  }
  expect(service.actions).toEqual([])
})

test('I5.2: past the grace a sweep ends with 78, and the sinks of the last valid copy hear of it', async () => {
  using scene = openFileScene()
  const alarms = scene.file('../alarms')
  scene.configure(['app/*.db'], `alerts: [ { command: [tee, -a, ${alarms}] } ]\n`)
  scene.make('a.db')
  const sweep = (): ReturnType<typeof holdfast> => holdfast(['sweep', '--quiet', '--config', scene.config])
  expect((await sweep()).code).toBe(0)
  writeFileSync(scene.config, '') // Only the pointer beside it says where the ledger is.
  const going = await sweep()
  expect([going.code, going.stderr]).toEqual([0, expect.stringMatching(/this command uses the copy/)])
  expect(titlesIn(alarms)).toEqual([expect.stringMatching(/^STALE: .* a copy is used/)])
  const ledger = scene.file('../state')
  const record = join(ledger, readdirSync(ledger).find((name) => name.endsWith('.invalid-since')) ?? 'none')
  await seenEarlier(record, 9 * 3_600_000)
  expect((await sweep()).code).toBe(78)
  expect((await holdfast(['status', '--config', scene.config])).code).toBe(78)
  expect(titlesIn(alarms).slice(1)).toEqual([
    expect.stringMatching(/^STALE: .* its copy is too old, and nothing is checked/),
  ])
})

const titlesIn = (file: string): readonly string[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { title: string }).title)

async function seenEarlier(record: string, earlierMs: number): Promise<void> {
  const title = 'holdfast.configuration-invalid-since/1'
  const found = await readCheckedText(record, title, 1e6)
  if (found.kind !== 'read') throw new Error('there is no record')
  const seen = JSON.parse(found.text) as { since: number }
  writeCheckedText(record, title, JSON.stringify({ ...seen, since: seen.since - earlierMs }))
}
