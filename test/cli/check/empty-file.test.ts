/** An empty file: when it is damage, and when nothing is known of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { byPath, crashWithJournal, crashWithWal, words } from '../../support/cli/crashed-live-sets.ts'
import { fingerprintOf, makeFolder } from '../../support/cli/folder.ts'
import { shortVerdict, reportOf, single } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

describe('an empty file', () => {
  test('gets one answer in a check and in a sweep: whether it ever held anything is unknown', async () => {
    await using service = await openService({
      tenants: (data) => {
        writeFileSync(join(data, 'new.db'), '')
        return { new: join(data, 'new.db') }
      },
    })
    const file = join(service.data, 'new.db')
    const swept = single(await reportOf(['sweep', '--config', service.config]))
    const bare = single(await reportOf(['check', '--snapshot', file]))
    for (const result of [swept, bare])
      expect([shortVerdict(result), result.reason, result.damage, result.findings]).toEqual([
        'inconclusive EMPTY_FILE',
        'the file is empty',
        'none',
        [],
      ])
    expect(service.actions).toEqual(['close new', 'open new'])
  })

  test('is damaged where the ledger remembers pages, night after night', async () => {
    let emptied = false
    const file: string[] = []
    await using service = await openService({
      onClose: (id) => {
        if (emptied && id === 'bolt') for (const path of file) writeFileSync(path, '')
      },
    })
    file.push(join(service.data, 'bolt.db'))
    const sweep = async (): Promise<readonly string[]> =>
      byPath((await reportOf(['sweep', '--config', service.config])).results).map(shortVerdict)
    expect(await sweep()).toEqual(['sound', 'sound'])
    emptied = true
    expect(await sweep()).toEqual(['sound', 'damaged file'])
    expect(await sweep()).toEqual(['sound', 'damaged file'])
  })

  test('is damaged where a WAL beside it holds commits, and a journal beside it is named', async () => {
    using folder = makeFolder()
    const withWal = crashWithWal(folder, 'wal.db')
    const withJournal = crashWithJournal(folder, 'journal.db')
    const oneByte = crashWithWal(folder, 'byte.db')
    for (const file of [withWal, withJournal]) writeFileSync(file, '')
    writeFileSync(oneByte, 'S') // SQLite takes one byte for none.
    const before = fingerprintOf(folder.path)
    for (const how of [[], ['--snapshot']]) {
      const results = byPath((await reportOf(['check', ...how, withWal, withJournal, oneByte])).results)
      expect(results.map(shortVerdict)).toEqual(['damaged file', 'inconclusive EMPTY_FILE', 'damaged file'])
      expect(results[2]?.findings.map(({ rule }) => rule)).toEqual(['not-a-database', 'wal-cut'])
      expect(results.map(({ recovery }) => recovery?.companions.map(({ part, did }) => [part, did]))).toEqual([
        [['-wal', 'ignored']],
        [['-journal', 'ignored']],
        [['-wal', 'ignored']],
      ])
    }
    expect(await words(['check', withJournal])).toContain(`${withJournal}-journal`)
    expect(fingerprintOf(folder.path)).toEqual(before)
  })
})
