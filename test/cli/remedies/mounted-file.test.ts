/** A file that is mounted by itself has another name, with a WAL and a journal that holdfast may not see. */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { launcher } from '../../support/cli/program.ts'
import { bind, whyNoBind, whySkipped } from '../../support/host/mounts.ts'
import { contentsOf, differencesOf, examine } from '../../support/remedies/contents.ts'
import { bytesOf, differentParts, withoutMovingBytes } from '../../support/remedies/live-files.ts'
import { shortRemedy, onlyResult, runRemedy, type PrintedRemedies } from '../../support/remedies/remedy-run.ts'

const why = whyNoBind()

/** As in a container: the file has its other name in a folder that is hidden by another mount. */
const containing = 'mount --bind "$1" "$2" && mount -t tmpfs none "$3" && shift 3 && exec "$@"'

function inContainer(source: Folder, path: string, args: readonly string[]): PrintedRemedies {
  const { stdout, stderr } = spawnSync(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      containing,
      'sh',
      source.in('source.db'),
      path,
      source.path,
      process.execPath,
      launcher,
      ...args,
      '--json',
    ],
    { encoding: 'utf8' },
  )
  expect(stdout, stderr).toMatch(/^\{[^]*\}\n$/)
  return JSON.parse(stdout) as PrintedRemedies
}

describe.skipIf(why !== null)(`a file that is mounted by itself${whySkipped(why)}`, () => {
  it('is refused where its other name is hidden, and written in place if the person asks for that', () => {
    using source = makeFolder()
    using folder = makeFolder()
    const outside = makeDatabase(source.in('source.db'))
    damageIndex(outside)
    const [path, quarantine] = [folder.in('app.db'), folder.in('quarantine')]
    writeFileSync(path, '')
    const before = fingerprintOf(source.path)
    for (const more of [[], ['--apply'], ['--apply', '--method', 'swap']]) {
      const { failure, applied } = onlyResult(inContainer(source, path, ['repair', path, ...more]))
      expect([failure?.code, applied]).toEqual(['MANY_NAMES', null])
      expect(failure?.hint).toContain('with `--method in-place`: make sure first that no program uses the other name')
    }
    expect(fingerprintOf(source.path)).toEqual(before)
    const args = ['repair', path, '--method', 'in-place', '--quarantine', quarantine]
    const planned = onlyResult(inContainer(source, path, args))
    expect(shortRemedy(planned)).toBe('rebuild, rehearsed sound')
    expect(planned.plan.why).toContain('make sure that no program uses its other name')
    const changed = onlyResult(inContainer(source, path, [...args, '--apply']))
    expect([shortRemedy(changed), changed.applied?.method]).toEqual([
      'rebuild, rehearsed sound, applied sound',
      'in-place',
    ])
    expect(examine(outside).integrity).toEqual([])
    const undone = onlyResult(inContainer(source, path, ['repair', path, '--quarantine', quarantine, '--undo']))
    expect(undone.applied, JSON.stringify(undone.failure)).toMatchObject({ verdict: 'damaged', method: 'in-place' })
    expect(examine(outside).integrity.join()).toMatch(/notes_title/)
  })

  it('is refused with its other name where that can be seen', async () => {
    using source = makeFolder()
    using folder = makeFolder()
    const outside = makeDatabase(source.in('source.db'))
    damageIndex(outside)
    const path = folder.in('app.db')
    writeFileSync(path, '')
    using _mounted = bind(outside, path)
    const { failure } = onlyResult(await runRemedy(['repair', path, '--apply']))
    expect(failure).toMatchObject({ code: 'MANY_NAMES', hint: expect.stringContaining(`for ${outside},`) as string })
  })

  it('keeps its inode when it is written in place, and both names show the same', async () => {
    using folder = makeFolder()
    using other = makeFolder()
    const source = makeDatabase(other.in('source.db'))
    damageIndex(source)
    const damagedContents = contentsOf(source)
    const path = folder.in('app.db')
    writeFileSync(path, '')
    using _mounted = bind(source, path)
    const bytes = bytesOf(path)
    const { ino } = statSync(path)
    const args = ['repair', path, '--quarantine', other.in('quarantine')]
    const applied = onlyResult(await runRemedy([...args, '--method', 'in-place', '--apply']))
    expect([shortRemedy(applied), applied.applied?.method]).toEqual([
      'rebuild, rehearsed sound, applied sound',
      'in-place',
    ])
    expect(statSync(path).ino).toBe(ino)
    expect(examine(source).integrity).toEqual([])
    expect(differencesOf(damagedContents, contentsOf(path))).toEqual([])
    expect(readFileSync(source).equals(readFileSync(path))).toBe(true)
    await runRemedy([...args, '--undo'])
    expect(differentParts(withoutMovingBytes(bytes), withoutMovingBytes(bytesOf(path)))).toEqual([])
  })
})
