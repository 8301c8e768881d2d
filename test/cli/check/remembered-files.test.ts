/** `check --ledger`: what the ledger remembers of bare files, and what it compares later. */
import { existsSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { readLedger } from '../../../src/ledger/open-ledger.ts'
import { damageIndex } from '../../support/cli/folder.ts'
import { resultOf, shortVerdict, holdfast, reportIn, reportOf, single, start } from '../../support/cli/program.ts'
import { rememberedFile, rotten, said } from '../../support/cli/silently-changed.ts'
import { rot } from '../../support/databases/rot.ts'
import { eventually } from '../../support/processes.ts'

describe('what the ledger keeps', () => {
  test('of bare files no lines: status and history speak of tenants', async () => {
    using remembered = rememberedFile()
    const { folder, check } = remembered
    await check()
    await using ledger = await readLedger(folder.in('ledger'))
    expect([await ledger.history(null, 10), await ledger.lastRuns(10)]).toEqual([[], []])
  })

  test('a quick check, SQLite\u2019s own check and a file in use compare nothing and replace nothing', async () => {
    using remembered = rememberedFile()
    const { path, check } = remembered
    await check()
    rot(path, 'body 300 ')
    expect(said(await check('--depth', 'quick'))).toEqual([])
    expect(said(await check('--engine', 'sqlite'))).toEqual([])
    const holder = new Database(path, { readonly: true })
    holder.pragma('user_version')
    expect(shortVerdict(await check())).toBe('failed IN_USE')
    holder.close()
    expect(said(await check())).toEqual(rotten)
  })

  test('a damaged state is never compared with later ones', async () => {
    using remembered = rememberedFile()
    const { folder, path, check } = remembered
    damageIndex(path)
    expect(shortVerdict(await check())).toBe('damaged index')
    rot(path, 'body 300 ')
    expect(said(await check())).not.toContainEqual(rotten[0])
    const ledger = new Database(folder.in('ledger/ledger.db'), { readonly: true })
    expect(ledger.prepare('SELECT count(*) FROM last_good').pluck().get()).toBe(0)
    ledger.close()
  })

  test('a bare file is known by its real path, whichever name is given', async () => {
    using remembered = rememberedFile()
    const { folder, path, check } = remembered
    await check()
    symlinkSync(path, folder.in('link.db'))
    rot(path, 'body 300 ')
    for (const named of ['app.db', './app.db', 'link.db']) {
      const report = await reportOf(['check', named, '--ledger', 'ledger'], { cwd: folder.path })
      expect(said(single(report))).toEqual(rotten)
    }
  })

  test('a file that the ledger knows as a database and that is none any more is damaged', async () => {
    using remembered = rememberedFile()
    const { path, check } = remembered
    await check()
    truncateSync(path, 0)
    const empty = await check()
    expect([shortVerdict(empty), said(empty)]).toEqual(['damaged file', [['not-a-database', 'damage']]])
    writeFileSync(path, 'no database any more, and long enough to be none'.repeat(200))
    expect(shortVerdict(await check())).toBe('damaged file')
    expect(shortVerdict(single(await reportOf(['check', path])))).toBe('inconclusive NOT_SQLITE')
  })

  test('after kill -9 in the middle of a check the next one goes on, and knows what it knew', async () => {
    using remembered = rememberedFile()
    const { folder, path, check } = remembered
    await check()
    for (const afterMs of [200, 400]) {
      const program = start(['check', path, '--ledger', folder.in('ledger')])
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      program.kill('SIGKILL')
      await resultOf(program)
      // Its children notice that it is gone, and let the file go.
      await eventually('the file is free', async () => shortVerdict(await check()) === 'sound')
    }
    rot(path, 'body 300 ')
    expect(said(await check())).toEqual(rotten)
  })

  test('--ledger goes with live bare files only', async () => {
    using remembered = rememberedFile()
    const { folder, path } = remembered
    const copies = await holdfast(['check', '--snapshot', path, '--ledger', folder.in('ledger'), '--json'])
    expect([copies.code, reportIn(copies).failure?.code]).toEqual([64, 'USAGE'])
    expect((await holdfast(['check', '--tenant', 'acme', '--ledger', folder.in('ledger')])).code).toBe(64)
    expect(existsSync(folder.in('ledger'))).toBe(false)
  })
})
