/** A folder with databases, a configuration with `service.files`, and programs that keep the files open. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { startNode, type Program } from '../processes.ts'
import { makeDatabase, makeFolder } from './folder.ts'

export interface FileScene extends Disposable {
  readonly config: string
  /** A path below the folder `app`. */
  readonly file: (name: string) => string
  /** Makes sound databases below `app`. */
  readonly make: (...names: readonly string[]) => void
  readonly configure: (files: readonly string[], sections?: string) => void
  /** Writes and commits all the time with a timeout of 0, and keeps the file open. */
  readonly program: (name: string, journal: 'wal' | 'delete') => Promise<Program>
}

/** @param parent another one than the folder for temporary files */
export function openFileScene(sections = '', files: readonly string[] = ['app/**/*.db'], parent?: string): FileScene {
  const folder = makeFolder(parent)
  const file = (name: string): string => folder.in(`app/${name}`)
  const configure: FileScene['configure'] = (patterns, more = '') =>
    writeFileSync(
      folder.in('holdfast.yaml'),
      `service: { name: programs, files: ${JSON.stringify(patterns)} }\n` +
        `ledger: { dir: state }\nsnapshots: { dir: state/snapshots }\n${more}`,
      { mode: 0o600 },
    )
  mkdirSync(file(''))
  configure(files, sections)
  return {
    config: folder.in('holdfast.yaml'),
    file,
    make: (...names) => {
      for (const name of names) {
        mkdirSync(dirname(file(name)), { recursive: true })
        makeDatabase(file(name), { wal: true })
      }
    },
    configure,
    program: async (name, journal) => {
      const program = startNode('test/support/programs/file-user.ts', [file(name), journal, 'keeps-open'])
      await program.ready
      return program
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

/** Ends a program of `openFileScene`. @returns what it did, and how often it was refused */
export async function workOf(program: Program): Promise<{ readonly done: number; readonly refused: number }> {
  program.kill('SIGTERM')
  const { stdout } = await program.ended
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { readonly done: number; readonly refused: number }
}
