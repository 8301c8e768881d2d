/** What a change must leave as it is: owner, mode, ACL, attributes, names. */
import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { damageIndex, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { whySkipped } from '../../support/host/mounts.ts'
import { examine } from '../../support/remedies/contents.ts'
import { aclWithReader, attributesOf, bytesOf, differentParts, setXattr } from '../../support/remedies/live-files.ts'
import { shortRemedy, onlyResult, runRemedy } from '../../support/remedies/remedy-run.ts'

const mended = 'rebuild, rehearsed sound, applied sound'

/** Why attributes cannot be set here; null if they can. */
function whyNoAttributes(): string | null {
  using folder = makeFolder()
  writeFileSync(folder.in('file'), '')
  try {
    setXattr(folder.in('file'), 'user.holdfast-test', Buffer.from('1'))
    return process.geteuid?.() === 0 ? null : 'a change of the owner needs root'
  } catch (error) {
    return String(error)
  }
}

describe('a change by swap', () => {
  const why = whyNoAttributes()
  it.skipIf(why !== null)(`keeps owner, mode, ACL and extended attributes${whySkipped(why)}`, async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'), { wal: true })
    damageIndex(path)
    chownSync(path, 12_345, 23_456)
    chmodSync(path, 0o640)
    setXattr(path, 'user.backup', Buffer.from('nightly'))
    setXattr(path, 'system.posix_acl_access', aclWithReader(34_567))
    const [before, bytes] = [attributesOf(path), bytesOf(path)]
    expect(Object.keys(before.xattrs)).toEqual(['system.posix_acl_access', 'user.backup'])
    const applied = onlyResult(await runRemedy(['repair', path, '--apply']))
    expect(shortRemedy(applied)).toBe(mended)
    expect(attributesOf(path)).toEqual(before)
    await runRemedy(['repair', path, '--undo'])
    expect(attributesOf(path)).toEqual(before)
    expect(differentParts(bytes, bytesOf(path))).toEqual([])
  })

  it('leaves a set that SQLite opens with the companions of the original', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'))
    damageIndex(path)
    const bytes = bytesOf(path)
    const { applied } = onlyResult(await runRemedy(['repair', path, '--apply']))
    expect(applied?.original).toBe(`${path}.original-${applied?.change}`)
    expect(differentParts(bytes, bytesOf(applied?.original ?? ''))).toEqual([])
    expect(examine(applied?.original ?? '').integrity.join()).toMatch(/notes_title/)
  })

  it('undoes with the command that it printed', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'))
    damageIndex(path)
    const bytes = bytesOf(path)
    const { applied, plan } = onlyResult(await runRemedy(['repair', path, '--apply']))
    expect(plan.undo).toContain(applied?.change)
    const words = (plan.undo ?? '').split(' ').slice(1)
    const { code, stderr } = await holdfast(words)
    expect(code, stderr).toBe(0)
    expect(differentParts(bytes, bytesOf(path))).toEqual([])
  })
})

describe('a change in place', () => {
  it('keeps the inode', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('app.db'), { wal: true })
    damageIndex(path)
    const { ino } = statSync(path)
    const applied = onlyResult(await runRemedy(['repair', path, '--apply', '--method', 'in-place']))
    expect([shortRemedy(applied), applied.applied?.method]).toEqual([mended, 'in-place'])
    expect(statSync(path).ino).toBe(ino)
    expect(examine(path).integrity).toEqual([])
  })
})
