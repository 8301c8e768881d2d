/** The statement of a finding, as people type it. */

import { displayWidth, labelled } from '../../text/layout.ts'
import { showsAsciiOnly } from '../../text/letters.ts'
import { invisible, shellWord } from '../../text/shell-words.ts'
import type { TextOptions } from './result-words.ts'

/** Letters. A longer statement is no help to anybody who must copy it. */
const lengthMax = 2000

/**
 * The statement on lines of its own, broken between words and never within a name. A name that cannot be shown is
 * spelled out for the shell, because SQL has no way to spell it.
 */
export function queryLines(query: string, { width }: TextOptions): readonly string[] {
  const told = (text: string): readonly string[] => labelled('list', text, { indent: 2, labelWidth: 8, width })
  if (query.length > lengthMax) return told(`the statement has ${query.length} characters; --json has it`)
  if (!invisible.test(query) && !(showsAsciiOnly() && /[^\0-\u007f]/.test(query)))
    return ['  list', ...brokenOutsideNames(`${query};`, width - 4).map((line) => `    ${line}`)]
  const why = 'a name has characters that cannot be shown; this command writes them as codes; FILE is a copy'
  return [...told(why), `    sqlite3 FILE ${shellWord(query)}`]
}

/** Words of SQL: names and strings in quotes are part of one, with the blanks in them. */
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
