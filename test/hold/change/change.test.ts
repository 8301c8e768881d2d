/** A change of a bare file: in every state of its live set, both ways, and back byte for byte. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, it } from 'vitest'
import type { OriginalsLocation } from '../../../src/hold/change/change-types.ts'
import { findChanges } from '../../../src/hold/change/recovery/find-changes.ts'
import { recoverChanges } from '../../../src/hold/change/recovery/recover-changes.ts'
import { AccountDraft } from '../../../src/repair/account/account-draft.ts'
import { useChangeScene } from '../../support/hold/change-scene.ts'
import { bytesInState, contentOf, readSet, setStates, writeSet } from '../../support/hold/changes.ts'
import { eventually } from '../../support/processes.ts'

describe('a change of a bare file', () => {
  const scene = useChangeScene()
  const { flow, back } = scene
  let folder = ''
  let file = ''
  beforeEach(() => {
    ;({ folder, file } = scene.begin())
  })
  const quarantine = (): OriginalsLocation => scene.common().place
  /** Names of ours that are left beside the live file. */
  const leftovers = (): readonly string[] => readdirSync(folder).filter((name) => name.startsWith('.holdfast-'))

  describe.each(['swap', 'in-place'] as const)('%s', (method) => {
    it.each(setStates)('mends a live set in state %s, and undoes it byte for byte', async (state) => {
      writeSet(file, bytesInState(state))
      const [before, old] = [readSet(file), contentOf(file)]
      const done = await flow({ method })
      expect(done.outcome).toMatchObject({ kind: 'applied', method, unconfirmed: null, remade: false })
      const mended = contentOf(file)
      expect(mended).toMatch(/^ok .*"mended1"/)
      expect(mended).not.toBe(old)
      expect(leftovers()).toEqual([])
      for (const [part, bytes] of Object.entries(before))
        expect(readFileSync((done.originals[0] ?? '') + part).equals(bytes as Buffer), `kept ${part}`).toBe(true)
      expect(findChanges(quarantine())[0]?.record.state).toBe('applied')

      const undone = await back(done)
      expect(undone, JSON.stringify(undone)).toMatchObject({ kind: 'applied' })
      expect(readSet(file)).toEqual(before)
      expect(contentOf(file)).toBe(old)
      expect(leftovers()).toEqual([])
      expect(findChanges(quarantine())[0]?.record.state).toBe('undone')
    })

    it('undoes nothing once something was written', async () => {
      writeSet(file, bytesInState('delete'))
      const done = await flow({ method })
      const db = new Database(file)
      db.exec("insert into t(v) values('acknowledged')")
      db.close()
      const outcome = await back(done)
      expect(outcome).toMatchObject({ kind: 'unchanged', failure: { code: 'REMEDY_STALE' } })
      expect(contentOf(file)).toContain('acknowledged')
      expect(leftovers()).toEqual([])
      expect(findChanges(quarantine())[0]?.record.state).toBe('applied')
    })

    it.each(['', '.settled'])('undoes nothing once the kept original%s was altered', async (ending) => {
      writeSet(file, bytesInState(ending === '' ? 'delete' : 'wal'))
      const done = await flow({ method })
      const kept = (done.originals[0] ?? '') + ending
      const bytes = readFileSync(kept)
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
      writeFileSync(kept, bytes)
      const before = readSet(file)
      const outcome = await back(done)
      expect(outcome).toMatchObject({ kind: 'unchanged', failure: { code: 'READ_FAILED' } })
      expect(readSet(file)).toEqual(before)
      expect(leftovers()).toEqual([])
      expect(findChanges(quarantine())[0]?.record.state).toBe('applied')
    })

    it('changes nothing if the file was written since the rehearsal', async () => {
      writeSet(file, bytesInState('wal-empty'))
      const done = await flow({
        method,
        between: () => {
          const db = new Database(file)
          db.exec("insert into t(v) values('acknowledged')")
          db.close()
        },
      })
      expect(done.outcome).toMatchObject({ kind: 'unchanged', failure: { code: 'REMEDY_STALE' } })
      expect(contentOf(file)).toContain('acknowledged')
      expect(leftovers()).toEqual([])
      expect(readdirSync(scene.common().place.folder)).toEqual([])
    })

    it('goes on if only times have changed', async () => {
      writeSet(file, bytesInState('delete'))
      const done = await flow({ method, between: () => writeFileSync(file, readFileSync(file)) })
      expect(done.outcome).toMatchObject({ kind: 'applied', remade: false })
    })
  })

  it('is reported as made if its record cannot be ended', async () => {
    writeSet(file, bytesInState('delete'))
    const folder = scene.common().place.folder
    const done = await flow({
      awaitWritten: false,
      onStep: (step) => {
        if (step === 'changed') renameSync(folder, `${folder}-gone`)
      },
    })
    expect(done.outcome).toMatchObject({ kind: 'applied' })
    expect(contentOf(file)).toMatch(/^ok .*"mended1"/)
    const { written } = done.outcome as { readonly written: Promise<void> }
    await expect(written).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('keeps the original beside the file, as a set that SQLite can open', async () => {
    writeSet(file, bytesInState('wal'))
    const old = contentOf(file)
    const place = { kind: 'beside', file } as const
    const done = await flow({ place })
    expect(done.outcome.kind).toBe('applied')
    expect(done.originals).toEqual([`${file}.original-${done.change}`])
    expect(contentOf(done.originals[0] ?? '')).toBe(old)
    expect(existsSync(`${file}.original-${done.change}.json`)).toBe(true)
    expect(await back(done, place)).toMatchObject({ kind: 'applied' })
    expect(contentOf(file)).toBe(old)
  })

  it('keeps no original beside a file with a name that is too long for that', async () => {
    const named = join(folder, `${'n'.repeat(208)}.db`)
    writeSet(named, bytesInState('delete'))
    const names = readdirSync(folder)
    await expect(flow({ files: [named], place: { kind: 'beside', file: named } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: expect.stringContaining('`--quarantine DIR`') as string,
    })
    expect(readdirSync(folder)).toEqual(names)
    expect((await flow({ files: [named] })).outcome).toMatchObject({ kind: 'applied' })
  })

  it('leaves no draft of an account that a killed run was writing', async () => {
    writeSet(file, bytesInState('delete'))
    const change = '01M8HBGZ8RWHH8WDCWJ0187DYB'
    const none = { original: [], settled: null, before: null, after: null, mended: null, beside: [], samples: [] }
    const record = {
      schema: 'holdfast.change/1',
      change,
      run: '01RUN',
      tool: { version: '0' },
      tenant: null,
      remedy: 'rebuild',
      method: null,
      state: 'kept',
      tidy: true,
      at: new Date().toISOString(),
      files: [{ path: file, ...none }],
    }
    writeFileSync(`${file}.original-${change}.json`, JSON.stringify(record), { mode: 0o600 })
    const seen: string[] = []
    const watcher = watch(folder, (_, name) => seen.push(String(name)))
    try {
      using draft = new AccountDraft(scene.fixture.folder)
      await draft.publish(change, { folder, name: 'account.json' })
      const name = await eventually('its draft is seen', () => seen.find((one) => one.startsWith('.holdfast-')))
      writeFileSync(join(folder, name), '{"schema":')
      rmSync(join(folder, 'account.json'))
    } finally {
      watcher.close()
    }
    expect(await recoverChanges({ kind: 'beside', file }, null)).toEqual([])
    expect(readdirSync(folder)).toEqual(['app.db'])
  })

  it('mends anew inside the pause what was written since', async () => {
    writeSet(file, bytesInState('delete'))
    const { rehearse } = await import('../../support/hold/changes.ts')
    const done = await flow({
      between: () => {
        const db = new Database(file)
        db.exec("insert into t(id, v) values(7777, 'acknowledged'); update t set w = 'written since' where id = 7")
        db.close()
      },
      remake: {
        ms: 10,
        work: ([taken]) => Promise.resolve([rehearse(taken.snapshot.path, "update t set v = 'mended' || id")]),
      },
    })
    expect(done.outcome).toMatchObject({ kind: 'applied', remade: true })
    expect(contentOf(file)).toMatch(/^ok .*"mended1".*"written since".*"mended7777"/)
    expect(contentOf(done.originals[0] ?? '')).toContain('acknowledged')
    expect(leftovers()).toEqual([])
    expect(await back(done)).toMatchObject({ kind: 'applied' })
    expect(contentOf(file)).toContain('acknowledged')
  })

  it('mends nothing anew if that would take longer than a pause may', async () => {
    writeSet(file, bytesInState('delete'))
    const done = await flow({
      between: () => writeFileSync(file, bytesInState('delete', 401)['']),
      remake: { ms: 6_000, work: () => Promise.reject(new Error('it is not asked')) },
    })
    expect(done.outcome).toMatchObject({ kind: 'unchanged', failure: { code: 'REMEDY_STALE' } })
  })
})
