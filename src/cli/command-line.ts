import { resolve } from 'node:path'
import type { CommandLine } from '../report/text/hint.ts'

/**
 * What hints need of the command line: its words, and the configuration that it names.
 * @param argv all words of the process
 */
export function commandLineOf(argv: readonly string[]): CommandLine {
  const words = argv.slice(2)
  const end = words.indexOf('--')
  const options = end < 0 ? words : words.slice(0, end)
  const at = options.findLastIndex((word) => word === '--config' || word.startsWith('--config='))
  const config =
    at < 0 ? undefined : options[at] === '--config' ? options[at + 1] : options[at]?.slice('--config='.length)
  return { words, config: config === undefined ? null : absolute(config) }
}

/** Unchanged if the current folder was removed: the command itself reports that. */
function absolute(path: string): string {
  try {
    return resolve(path)
  } catch {
    return path
  }
}
