/** What the demo says: each step in a sentence, and whether it was as promised. If one is not, the exit code is 1. */
import { readFileSync } from 'node:fs'
import { createColors } from 'picocolors'
import { hasColors, widthOf } from '../../src/cli/terminal/terminal-features.ts'
import { wrapHanging } from '../../src/text/layout.ts'

export const colors = createColors(hasColors(process.stdout, process.env))

/** A zombie counts as ended. */
export function hasNotEnded(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

/** @param word printed before the text, in colour */
export function say(text: string, word = '', paint: (word: string) => string = colors.bold): void {
  const [first = '', ...more] = wrapHanging(`demo: ${word}${text}`, widthOf(process.stdout, process.env))
  const painted = first.startsWith(`demo: ${word}`)
    ? `${colors.bold('demo:')} ${paint(word)}${first.slice('demo: '.length + word.length)}`
    : first
  process.stdout.write([painted, ...more].map((line) => `${line}\n`).join(''))
}

export function expect(holds: boolean, text: string): void {
  if (!holds) process.exitCode = 1
  if (holds) say(`: ${text}`, 'as promised', colors.green)
  else say(`: ${text}`, 'NOT AS PROMISED', colors.red)
}
