/** The built program, one part of which dies at its start by a real signal, as the kernel's memory killer does it. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repository, startProgram, type Program } from './processes.ts'

export interface DyingProgram extends Disposable {
  /** The folder of this test. */
  readonly home: string
  /** Starts holdfast with TMPDIR `home`. The part dies the given number of times from now on. */
  start(times: number, ...args: readonly string[]): Program
  /** How often the part has died since the last start. */
  deaths(): number
}

/** @param part a program in dist/, such as `reader-child` */
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
