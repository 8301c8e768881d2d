/** The statement of a finding, as people type it. */
import { invisible, shellWord } from '../diagnosis/command.ts'
import { labelled } from './layout.ts'
import type { TextOptions } from './result-words.ts'

/** Letters. A longer statement is no help to anybody who must copy it. */
const lengthMax = 2000

/**
 * The statement on a line of its own, never broken: a break could fall into a name. A name that cannot be shown is
 * spelled out for the shell, because SQL has no way to spell it.
 */
export function queryLines(query: string, { width }: TextOptions): readonly string[] {
  const told = (text: string): readonly string[] => labelled('list', text, { indent: 2, labelWidth: 8, width })
  if (query.length > lengthMax) return told(`the statement has ${query.length} letters; --json gives it`)
  if (!invisible.test(query)) return ['  list', `    ${query};`]
  const why = 'a name has letters that cannot be shown; this command spells them, for a copy FILE'
  return [...told(why), `    sqlite3 FILE ${shellWord(query)}`]
}
