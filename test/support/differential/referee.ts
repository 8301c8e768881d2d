/** Random byte damage, and what SQLite and our own accounting find. A seed reproduces it. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Finding } from '../../../src/model/result/finding.ts'
import { readHeader } from '../../../src/sqlite/header.ts'
import { accountBothWays } from '../census/account-both-ways.ts'
import { integersFrom } from '../random.ts'

/** Damages a copy of `healthy` at `path` and says how. */
export function damage(healthy: string, path: string, seed: number): string {
  const bytes = readFileSync(healthy)
  const done = damageBytes(bytes, integersFrom(seed))
  writeFileSync(path, bytes)
  return done
}

/**
 * Damages a database in place and says how. Headers of pages and the first page are hit more often than their share.
 */
export function damageBytes(bytes: Buffer, random: (below: number) => number): string {
  const written = bytes.readUInt16BE(16)
  const pageSize = written === 1 ? 65_536 : written
  const pages = Math.max(1, Math.floor(bytes.length / pageSize))
  const done: string[] = []
  for (let i = 0, hits = 1 + random(4); i < hits; i++) {
    const page = random(4) === 0 ? 0 : random(pages)
    const at = page * pageSize + (random(2) === 0 ? random(Math.min(140, pageSize)) : random(pageSize))
    switch (random(5)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
        break
      case 1:
        bytes[at] = random(256)
        break
      case 2:
        bytes.fill(0, at, Math.min(bytes.length, at + 1 + random(16)))
        break
      case 3:
        if (at + 4 <= bytes.length) bytes.writeUInt32BE(random(2) === 0 ? random(pages + 3) : random(0xffff_ffff), at)
        break
      default:
        bytes.copy(bytes, at, random(pages) * pageSize, random(pages) * pageSize + random(pageSize))
    }
    done.push(`${page + 1}:${at - page * pageSize}`)
  }
  return done.join(' ')
}

/** What our accounting finds; null if the header is not readable. */
export function accountFor(
  path: string,
): {
  readonly findings: readonly Finding[]
  readonly pages: number
  readonly pagesRead: number
  readonly headerRight: boolean
} | null {
  const file = openSync(path, 'r')
  try {
    const first = Buffer.alloc(100)
    readSync(file, first, 0, 100, 0)
    const reading = readHeader(first)
    if (
      reading.kind === 'empty' ||
      reading.kind === 'not-sqlite' ||
      reading.header === null ||
      reading.header.pageSize - reading.header.reservedBytes < 480
    )
      return null
    const { pageSize } = reading.header
    const { findings, pages, pagesRead } = accountBothWays(reading.header, {
      fileBytes: fstatSync(file).size,
      read: (page, into) => readSync(file, into, 0, pageSize, (page - 1) * pageSize),
    })
    return { findings, pages, pagesRead, headerRight: reading.kind === 'header' }
  } finally {
    closeSync(file)
  }
}

/**
 * SQLite's messages about the owners of pages. The accounting does not check the rest: order, free space, indexes
 * against tables.
 */
const aboutPages = new RegExp(
  [
    'invalid page number',
    '2nd reference',
    'never used',
    'Child page depth',
    'overflow list length',
    'freelist leaf count',
    'Freelist: size',
    'Bad ptr map',
    'max rootpage',
    'pointer map referenced',
    'incremental_vacuum',
    'btreeInitPage',
    'Extends off end',
    'unable to get the page',
  ].join('|'),
)

export interface SqliteMessages {
  /** All messages; empty if it says ok. */
  readonly lines: readonly string[]
  readonly thrown: string | null
  readonly aboutPages: readonly string[]
}

export function askInProcess(path: string): SqliteMessages {
  const lines: string[] = []
  let thrown: string | null = null
  try {
    const db = new Database(path, { fileMustExist: true })
    try {
      for (const row of db.prepare('PRAGMA integrity_check(100000)').pluck().iterate())
        lines.push(
          ...String(row)
            .split('\n')
            .filter((line) => line !== 'ok' && !line.startsWith('***')),
        )
    } finally {
      db.close()
    }
  } catch (error) {
    thrown = String(error)
  }
  return { lines, thrown, aboutPages: lines.filter((line) => aboutPages.test(line)) }
}

export interface Disagreement {
  readonly seed: number
  readonly damage: string
  readonly what: 'silent-accounting' | 'lonely-accounting'
  readonly detail: string
}

/**
 * True if SQLite has messages about pages and the accounting has no finding, or the other way round.
 */
export function compareOnce(healthy: string, path: string, seed: number): Disagreement | null {
  const done = damage(healthy, path, seed)
  const account = accountFor(path)
  const said = askInProcess(path)
  if (account === null) return null
  const findings = account.headerRight
    ? account.findings
    : [...account.findings, { rule: 'header-wrong', text: 'the header is wrong' }]
  // If SQLite gives a page up for its free space, it calls all pages behind it unused. The accounting reads on.
  if (said.lines.some((line) => line.includes('free space corruption'))) return null
  if (said.aboutPages.length > 0 && findings.length === 0)
    return { seed, damage: done, what: 'silent-accounting', detail: said.aboutPages.slice(0, 3).join(' | ') }
  if (findings.length > 0 && said.lines.length === 0 && said.thrown === null) {
    return {
      seed,
      damage: done,
      what: 'lonely-accounting',
      detail: findings
        .slice(0, 3)
        .map((finding) => `${finding.rule}: ${finding.text}`)
        .join(' | '),
    }
  }
  return null
}
