import { basename } from 'node:path'
import { readOfProcess } from '../process/read-of-process.ts'

/**
 * The name of a process for an operator: the program and, for an interpreter, the script. Other arguments are left out,
 * because they may contain passwords. `?` if the system does not say, or has not said when `over` resolves.
 */
export async function commandOf(pid: number, over?: Promise<unknown>): Promise<string> {
  const [program = '', ...rest] = (await read(`/proc/${pid}/cmdline`, over)).split('\0')
  const name = basename(program) || (await read(`/proc/${pid}/comm`, over)).trim() || '?'
  const script = interpreters.test(name)
    ? rest.find((argument) => /\.(?:[cm]?[jt]s|py|rb|pl|sh|php)$/.test(argument))
    : undefined
  const plain = script === undefined ? name : `${name} ${basename(script)}`
  // Other users choose these names: they must not move a cursor or break a line.
  return plain.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)
}

const interpreters = /^(?:node|python|ruby|perl|php|sh|bash|dash|bun|deno)[\d.]*$/i

async function read(path: string, over?: Promise<unknown>): Promise<string> {
  try {
    return (await readOfProcess(path, over)) ?? ''
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return ''
    throw error
  }
}
