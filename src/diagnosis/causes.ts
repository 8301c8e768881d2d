/** Possible causes of damage, each with the observation that it rests on. */

import type { Cause, Finding } from '../model/result/finding.ts'
import type { Reading } from '../model/result/reading.ts'
import { isNewer } from '../sqlite/version.ts'
import type { DiagnosisContext } from './context.ts'
import { limitOf } from './limits.ts'
import { isDamage } from './messages/refusal.ts'

/** The causes of the damage that was found; empty if none was. */
export function causesOf(damage: readonly Finding[], context: DiagnosisContext): readonly Cause[] {
  if (damage.length === 0) return []
  const causes: Cause[] = []
  if (context.serviceSqlite !== null && hasWalResetBug(context.serviceSqlite) && damage.some(isIndexShaped)) {
    causes.push({
      hint: 'wal-reset-bug',
      why:
        `the service runs SQLite ${context.serviceSqlite}, which can lose pages ` +
        'when the WAL is reset while another connection writes',
    })
  }
  if (context.links > 1)
    causes.push({
      hint: 'many-names',
      why: `the file has ${context.links} names (hard links): each name has a journal of its own`,
    })
  if (context.fileSystem !== null && !isTrusted(context.fileSystem)) {
    causes.push({
      hint: 'untrusted-file-system',
      why: `the file lies on ${context.fileSystem}, where locks are not reliable`,
    })
  }
  if (damage.some(({ rule, severity }) => rule === 'truncated' && severity === 'damage'))
    causes.push({
      hint: 'truncated-copy',
      why: 'the file ends before its last page: a copy that did not finish, or a disk that was full',
    })
  if (damage.some(({ rule }) => rule === 'content-changed-silently'))
    causes.push({
      hint: 'bit-rot',
      why:
        'bytes changed although neither the file system nor SQLite recorded a write: the disk, its ' +
        'controller or its memory changed them',
    })
  const zeroed = damage.find(({ source, text }) => source !== 'sqlite' && /\b(?:all zero(?:e?s)?|zeroed)\b/.test(text))
  if (zeroed)
    causes.push({
      hint: 'zeroed-range',
      why:
        `${zeroed.page === undefined ? 'a page' : `page ${zeroed.page}`} holds only zeros: ` +
        'a lost write, or a restore that left a hole',
    })
  return causes
}

/**
 * The SQLite that wrote the file last, if it explains what was not understood, or is newer than ours or the service's.
 */
export function writerOf(
  reading: Reading,
  { serviceSqlite }: Pick<DiagnosisContext, 'serviceSqlite'>,
): readonly Cause[] {
  const { writtenBy, sqliteVersion } = reading
  const older = [
    ...(writtenBy !== null && isNewer(writtenBy, sqliteVersion)
      ? [`SQLite ${sqliteVersion}, which holdfast uses`]
      : []),
    ...(writtenBy !== null && serviceSqlite !== null && isNewer(writtenBy, serviceSqlite)
      ? [`SQLite ${serviceSqlite}, which the service uses`]
      : []),
  ]
  if (older.length > 0)
    return [
      {
        hint: 'newer-sqlite',
        why: `SQLite ${writtenBy} wrote the file last; it is newer than ${older.join(' and than ')}`,
      },
    ]
  const foreign =
    reading.facts.some((fact) => fact.kind === 'refused' && !isDamage(fact, reading)) ||
    reading.coverage.skipped.some(({ object, why }) => object === 'header' && limitOf(why) === 'newer-sqlite')
  if (!foreign) return []
  const by = writtenBy === null ? '' : `, although the header names ${writtenBy} as its last writer`
  return [
    {
      hint: 'other-sqlite',
      why:
        `the file holds something that SQLite ${sqliteVersion} does not know${by}: another SQLite wrote it, or ` +
        `bytes changed`,
    },
  ]
}

/** Damage of an index, or entries that differ from rows: what a lost page of the WAL looks like. */
const isIndexShaped = ({ object }: Finding): boolean => object.kind === 'index'

/**
 * True for SQLite 3.7.0 to 3.51.2. It was fixed in 3.51.3, 3.50.7 and 3.44.6, and so in later versions of 3.50 and
 * 3.44.
 */
function hasWalResetBug(version: string): boolean {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version)
  if (!match) return false
  const [major, minor, patch] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
  if (major !== 3 || minor < 7 || minor > 51) return false
  if (minor === 51) return patch <= 2
  if (minor === 50) return patch < 7
  if (minor === 44) return patch < 6
  return true
}

/** File systems whose locks are reliable. */
const trustedFileSystems = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'bcachefs',
  'tmpfs',
  'overlay',
])
const isTrusted = (fileSystem: string): boolean => trustedFileSystems.has(fileSystem.toLowerCase())
