/**
 * The built program, of which one part dies at its start, as by the kernel's memory killer: as often as is wanted, by a
 * real signal.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repository, startProgram, type Program } from './processes.ts'

export interface DyingProgram extends Disposable {
  /** Folder that belongs to the test. */
  readonly home: string
  /** Starts the command line, whose part dies so many times from now on. TMPDIR is `home`. */
  start(times: number, ...args: readonly string[]): Program
  /** How often the part died since. */
  deaths(): number
}

/** @param part name of a program in dist/, such as `reader-child` */
export function makeDying(part: string): DyingProgram {
  const home = mkdtempSync(join(tmpdir(), 'dying-'))
  const top = join(home, 'program')
  const deaths = join(home, 'deaths')
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(repository, name), join(top, name), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(top, 'node_modules'))
  const program = join(top, 'dist', `${part}.js`)
  renameSync(program, join(top, 'dist', `${part}-alive.js`))
  return {
    home,
    start: (times, ...args) => {
      rmSync(deaths, { recursive: true, force: true })
      mkdirSync(deaths)
      writeFileSync(
        program,
        `
        import { readdirSync, writeFileSync } from 'node:fs'
        if (readdirSync(${JSON.stringify(deaths)}).length < ${times}) {
          writeFileSync(${JSON.stringify(`${deaths}/`)} + process.pid, '')
          process.kill(process.pid, 'SIGKILL')
        } else await import('./${part}-alive.js')`,
      )
      return startProgram(process.execPath, [join(top, 'bin/holdfast.js'), ...args], { TMPDIR: home })
    },
    deaths: () => readdirSync(deaths).length,
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  }
}
