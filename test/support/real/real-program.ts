/** Programs as people run them, unchanged, and driven over their own interface while holdfast checks their files. */
import { createServer, type AddressInfo } from 'node:net'
import type Database from 'better-sqlite3'

export interface RealProgram extends AsyncDisposable {
  readonly files: readonly RealFile[]
  /** How many pieces of work may be done and not yet be in the file. */
  readonly behind: number
  /** One piece of work over its own interface. @param number from 1 on. @throws if the program did not do it */
  work(number: number): Promise<void>
  /** What is wrong with it, by its own interface, after so many pieces of work. Empty: it is healthy. */
  problems(done: number): Promise<readonly string[]>
  /** Ends it as its users do. @returns what it complained about */
  end(): Promise<readonly string[]>
}

export interface RealFile {
  readonly path: string
  /** How many pieces of work a copy of the file has; also a part of one. */
  readonly workIn: (copy: Database.Database) => number
}

/** A port of the loopback interface that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
