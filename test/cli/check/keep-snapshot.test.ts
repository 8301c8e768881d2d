/** `check --keep-snapshot`: what it leaves, and when a manifest is believed. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { damageIndex, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { shortVerdict, holdfast, reportIn, reportOf, holdfastOrKill } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

test(
  '--keep-snapshot leaves the live set with its manifest in a private ' +
    'folder, damaged or not, and overwrites nothing',
  async () => {
    using folder = makeFolder()
    const file = makeDatabase(folder.in('app.db'))
    damageIndex(file)
    const kept = folder.in('kept')
    const ran = await holdfast(['check', '--json', '--keep-snapshot', kept, file])
    const [result] = reportIn(ran).results
    expect([result?.verdict, ran.stderr]).toEqual(['damaged', `kept in ${kept}/app.db\n`])
    expect(readdirSync(kept).sort()).toEqual(['app.db', 'manifest.json'])
    expect([
      statSync(kept).mode & 0o777,
      statSync(join(kept, 'app.db')).mode & 0o777,
      statSync(join(kept, 'manifest.json')).mode & 0o777,
    ]).toEqual([0o700, 0o600, 0o600])
    expect(readFileSync(join(kept, 'app.db'))).toEqual(readFileSync(file))
    const again = await holdfast(['check', '--json', '--keep-snapshot', kept, file])
    expect([again.code, reportIn(again).failure?.code]).toEqual([64, 'USAGE'])
  },
)

test('a manifest that is broken or hostile counts as none, and breaks nothing', async () => {
  using folder = makeFolder()
  const texts = [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"schema":"holdfast.snapshot/1","files":[],"evidence":{}}',
    '{"schema":"holdfast.snapshot/1","files":[null],"evidence":{}}',
    '{"schema":"holdfast.snapshot/1","files":[{"name":"app.db","sha256":7}],"evidence":7}',
    '{"schema":"holdfast.snapshot/1","tenant":{},' +
      '"files":[{"name":"app.db","sha256":"00"}],"evidence":{"level":"sealed"}}',
  ]
  const files = texts.map((text, i) => {
    mkdirSync(folder.in(String(i)))
    writeFileSync(folder.in(`${i}/manifest.json`), text)
    return makeDatabase(folder.in(`${i}/app.db`))
  })
  const report = await reportOf(['check', '--snapshot', ...files])
  expect(report.results.map((result) => `${shortVerdict(result)} ${result.tenant} ${result.evidence.level}`)).toEqual(
    texts.map(() => 'sound null none'),
  )
})

test('--quiet says nothing of a snapshot that was kept and is sound', async () => {
  await using service = await openService()
  const { folder, config } = service
  const silent = { code: 0, stdout: '', stderr: '' }
  expect(await holdfast(['pull', 'acme', folder.in('pulled'), '--quiet', '--config', config])).toEqual(silent)
  expect(
    await holdfast(['check', makeDatabase(folder.in('app.db')), '--quiet', '--keep-snapshot', folder.in('kept')]),
  ).toEqual(silent)
  expect([readdirSync(folder.in('pulled')), readdirSync(folder.in('kept'))]).toEqual([
    ['acme.db', 'manifest.json'],
    ['app.db', 'manifest.json'],
  ])
})

test('a folder that the kernel cannot make is refused with its path, wherever one is named', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('app.db'))
  // Below /proc the kernel answers that there is no file, although the folder above is there.
  for (const option of ['--keep-snapshot', '--snapshots', '--ledger']) {
    for (const place of ['/proc/holdfast', '/proc/holdfast/below', join(file, 'below'), '']) {
      const ran = await holdfastOrKill(['check', option, place, file])
      expect([1, 64], `${option} ${place}: ${ran.stderr}`).toContain(ran.code)
      expect(ran.stderr).toContain(place)
      expect(ran.stderr).not.toContain('defect')
    }
  }
  expect(readdirSync(folder.path)).toEqual(['app.db'])
})
