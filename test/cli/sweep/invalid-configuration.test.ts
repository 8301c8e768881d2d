/** A configuration that became invalid: what a schedule runs goes on with the last valid one, and says so (I5.1). */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { gist, holdfast, reportIn, reportOf } from '../../support/cli/program.ts'
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
  expect([swept.code, results.map(gist)]).toEqual([0, ['sound', 'sound']])
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
    service.deeds.splice(0)
    const ran = await holdfast(withConfig(...args))
    expect([args.join(' '), ran.code, ran.stderr]).toEqual([args.join(' '), 78, expect.stringMatching(mistake)])
    expect(service.deeds).toEqual([])
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
  expect(service.deeds).toEqual([])
})
