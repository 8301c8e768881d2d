/** Another process that does to files what a test asks. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import Database from 'better-sqlite3'
import { tryLock, tryPosixLock } from '../../../src/host/locks/byte-lock.ts'
import { leaseOf, takeWriteLease } from '../../../src/host/locks/kernel-lease.ts'
import { answerQuestions } from '../../../src/host/process/child-side.ts'

export type FileTask =
  | { readonly do: 'open'; readonly path: string; readonly flags: number }
  | { readonly do: 'close'; readonly descriptor: number }
  | { readonly do: 'write'; readonly descriptor: number; readonly text: string }
  | { readonly do: 'truncate'; readonly descriptor: number; readonly bytes: number }
  | { readonly do: 'map'; readonly descriptor: number; readonly bytes: number; readonly how: 'shared' | 'private' }
  | {
      readonly do: 'lock'
      readonly descriptor: number
      readonly owner: 'posix' | 'description'
      readonly kind: 'read' | 'write'
      readonly start: number
      readonly length: number
    }
  | { readonly do: 'lease' | 'lease-state'; readonly descriptor: number }
  | { readonly do: 'sql'; readonly path: string; readonly sql: string }
  | { readonly do: 'sql-keep'; readonly path: string; readonly sql: string }
  /** Opens a connection that stays open, and answers its number. */
  | { readonly do: 'connect'; readonly path: string; readonly timeoutMs: number }
  | { readonly do: 'statement'; readonly connection: number; readonly sql: string }

const libc = createRequire(import.meta.url)('koffi').load(null)
const kept: Database.Database[] = []
const connections: Database.Database[] = []

function carryOut(task: FileTask): number | string {
  switch (task.do) {
    case 'open':
      return openSync(task.path, task.flags)
    case 'close':
      closeSync(task.descriptor)
      return 'closed'
    case 'write':
      return writeSync(task.descriptor, task.text)
    case 'truncate':
      ftruncateSync(task.descriptor, task.bytes)
      return 'cut'
    case 'map': {
      const mmap = libc.func(
        'intptr_t mmap(intptr_t where, size_t length, int protection, int flags, int descriptor, int64 offset)',
      )
      const protectionReadWrite = 3
      return Number(mmap(0, task.bytes, protectionReadWrite, task.how === 'shared' ? 1 : 2, task.descriptor, 0)) > 0
        ? 'mapped'
        : 'refused'
    }
    case 'lock':
      return (task.owner === 'posix' ? tryPosixLock : tryLock)(task.descriptor, task.kind, task)
    case 'lease':
      return takeWriteLease(task.descriptor).kind
    case 'lease-state':
      return leaseOf(task.descriptor)
    case 'sql':
    case 'sql-keep':
      return runSql(task.path, task.sql, task.do === 'sql-keep')
    case 'connect':
      return connections.push(new Database(task.path, { timeout: task.timeoutMs, fileMustExist: true })) - 1
    case 'statement':
      return runOn(connections[task.connection], task.sql)
  }
}

function runOn(connection: Database.Database | undefined, sql: string): string {
  if (connection === undefined) throw new Error('there is no such connection')
  const statement = connection.prepare(sql)
  return statement.reader ? JSON.stringify(statement.all()) : `${statement.run().changes} changed`
}

function runSql(path: string, sql: string, keep: boolean): string {
  let db: Database.Database | null = null
  try {
    db = new Database(path, { timeout: 0, fileMustExist: true })
    if (keep) kept.push(db)
    const statement = db.prepare(sql)
    return statement.reader ? JSON.stringify(statement.all()) : `${statement.run().changes} changed`
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    if (!keep) db?.close()
  }
}

answerQuestions<FileTask, number | string>(carryOut)
