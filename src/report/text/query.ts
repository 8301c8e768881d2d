/** The statement of a finding, for people who type it. */

import { displayWidth, wrapLabelled } from '../../text/layout.ts'
import { showsAsciiOnly } from '../../text/letters.ts'
import { invisible, shellWord } from '../../text/shell-words.ts'
import type { TextOptions } from './result-words.ts'

/** In characters. A longer statement could not be copied by a person. */
const lengthMax = 2000

/**
 * The statement on its own lines, broken between words and never within a name. A name that cannot be shown is written
 * as codes for the shell, because SQL has no codes.
 */
export function queryLines(query: string, { width }: TextOptions): readonly string[] {
  const line = (text: string): readonly string[] => wrapLabelled('list', text, { indent: 2, labelWidth: 8, width })
  if (query.length > lengthMax) return line(`the statement has ${query.length} characters; --json has it`)
  if (!invisible.test(query) && !(showsAsciiOnly() && /[^\0-\u007f]/.test(query)))
    return ['  list', ...brokenOutsideNames(`${query};`, width - 4).map((line) => `    ${line}`)]
  const why = 'a name has characters that cannot be shown; this command writes them as codes; FILE is a copy'
  return [...line(why), `    sqlite3 FILE ${shellWord(query)}`]
}

/** A word of SQL: a name or a string in quotes is part of one, with its spaces. */
const word = /(?:"[^"]*"|'[^']*'|`[^`]*`|\[[^\]]*\]|[^\s"'`[])+/g

function brokenOutsideNames(statement: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const next of statement.match(word) ?? []) {
    const longer = `${lines.at(-1) ?? ''} ${next}`
    if (lines.length > 0 && displayWidth(longer) <= width) lines[lines.length - 1] = longer
    else lines.push(next)
  }
  return lines
}
