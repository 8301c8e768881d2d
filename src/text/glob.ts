/** Patterns of names, as `--only` and the configuration take them. A name is any text, and no path. */

import { minimatch, Minimatch } from 'minimatch'

/**
 * `*` any text, also none, with `/` and a leading `.` in it; `?` one character; `[a-c]`, `[!a-c]`; `{a,b}`; a backslash
 * takes the next character as it is. A name is also matched by its own text.
 * @throws {TypeError} for a pattern of more than 65,536 characters
 */
export const matchesGlob = (name: string, pattern: string): boolean =>
  name === pattern || minimatch(asOneName(name), asOneName(pattern), asShells)

/** For many names. @throws as `matchesGlob` */
export function globMatcher(pattern: string): (name: string) => boolean {
  const compiled = new Minimatch(asOneName(pattern), asShells)
  return (name) => name === pattern || compiled.match(asOneName(name))
}

/** For minimatch a name is no path: `/`, `.`, `!` and `#` are plain characters. */
const asOneName = (text: string): string => `x${text.replaceAll('/', '\u2215')}`
const asShells = { dot: true, nonegate: true, nocomment: true, noext: true, platform: 'linux' } as const
