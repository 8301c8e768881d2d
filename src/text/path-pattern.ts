/** Patterns of paths, as `service.files` of the configuration has them. */

import { Minimatch } from 'minimatch'

/** What one part of a path must look like. `any-folders`: any number of folders, also none (`**`). */
type PatternStep = { readonly kind: 'any-folders' } | { readonly kind: 'name'; matches(name: string): boolean }

export interface PathPattern {
  readonly text: string
  /** The folder above the first part that is a pattern. */
  readonly fixed: string
  /** Below the fixed part. Never empty. */
  readonly steps: readonly PatternStep[]
}

const patternLetters = /(?<!\\)(?:\\\\)*[*?[{]/

/** `*`, `?`, `[` and `{`, and a backslash before them takes them as they are. */
const isPattern = (part: string): boolean => patternLetters.test(part)

/**
 * `*` any text within one part, also with a leading dot; `**` any number of folders; `?` one character; `[a-c]`,
 * `[!a-c]`; `{a,b}` without `/`; a backslash takes the next character as it is.
 * @param text an absolute path without `.` and `..`
 * @returns why it is no pattern of files, as the end of a sentence that begins with its key
 */
export function pathPattern(text: string): PathPattern | { readonly refused: string } {
  const parts = text.split('/').slice(1)
  if (parts.some((part) => !isClosed(part))) return { refused: 'must not have a / within { } or [ ]' }
  const first = parts.findIndex(isPattern)
  const fixedParts = parts.slice(0, first === -1 ? -1 : first)
  if (fixedParts.length === 0 || parts.at(-1) === '')
    return { refused: 'must begin with the path of a folder and end with the name of a file, such as /srv/app/*.db' }
  return { text, fixed: `/${fixedParts.map(plain).join('/')}`, steps: parts.slice(fixedParts.length).map(stepOf) }
}

const asShells = { dot: true, nonegate: true, nocomment: true, noext: true, platform: 'linux' } as const

function stepOf(part: string): PatternStep {
  if (part === '**') return { kind: 'any-folders' }
  const literal = plain(part)
  if (!isPattern(part)) return { kind: 'name', matches: (name) => name === literal }
  const matcher = new Minimatch(part, asShells)
  return { kind: 'name', matches: (name) => matcher.match(name) }
}

/** The part without the backslashes that take a character as it is. */
const plain = (part: string): string => part.replaceAll(/\\(.)/gsu, '$1')

/** The pattern that this path alone matches. */
export const escapedPattern = (path: string): string => path.replaceAll(/[\\*?[\]{}]/g, String.raw`\$&`)

/** True if each bracket is closed in the same part. */
function isClosed(part: string): boolean {
  const open = part.replaceAll(/\\./gsu, '')
  return /^(?:[^[\]{}]|\[[^[\]]*\]|\{[^{}]*\})*$/.test(open)
}
