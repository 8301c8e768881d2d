/** The program on a pseudo terminal of its own, by script(1). */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'
import { launcher } from './program.ts'

export const hasScript = ((): boolean => {
  try {
    execFileSync('script', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

export interface TerminalRun {
  /** 0 is a terminal whose size was never set. */
  readonly columns: number
  readonly env?: Readonly<Record<string, string>>
  /** What the program is to end with. */
  readonly exitCode?: number
  /** Done while the program runs. */
  readonly meanwhile?: (pid: number, shown: () => string) => Promise<void>
}

/** Both streams, as they come to the terminal. @param args without single quotes */
export async function onTerminal(
  args: readonly string[],
  { columns, env = {}, exitCode = 2, meanwhile = async () => {} }: TerminalRun,
): Promise<string> {
  const words = [process.execPath, launcher, ...args].map((word) => `'${word}'`).join(' ')
  const command = `stty cols ${columns}; exec ${words}`
  const surroundings = { PATH: process.env['PATH'], TERM: 'xterm', LC_ALL: 'C.UTF-8', ...env }
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: surroundings,
    timeout: 240_000,
  })
  const pieces: Buffer[] = []
  let size = 0
  child.stdout.on('data', (piece: Buffer) => {
    if ((size += piece.length) <= 1_000_000) pieces.push(piece)
  })
  const text = (): string => Buffer.concat(pieces).toString('utf8')
  const ended = once(child, 'close') as Promise<[number]>
  await meanwhile(child.pid ?? 0, text)
  const [code] = await ended
  expect(code, text()).toBe(exitCode)
  return text()
}

/** Lines without what steers the terminal. */
export const linesOf = (text: string): readonly string[] => text.replaceAll(escapes, '').split(/\r*\n/)

/** Escape sequences. */
// oxlint-disable-next-line no-control-regex
export const escapes = /\u001b\[[?0-9;]*[A-Za-z]/gu
