/** Text from outside for people: printable, of a readable length, and with unbroken names. JSON has the whole text. */

import { nameObject } from '../../diagnosis/sentence.ts'
import type { FoundObject } from '../../model/result/finding.ts'
import { boundedName, commandMax, cutMiddle, withoutBreaks } from '../../text/layout.ts'
import { printable, printableSentence } from '../../text/printable.ts'

/** A name in a database may have millions of letters, and a sentence may quote several. */
const sentenceMax = 4_096

/** A path, a tenant or an object of a schema as one word that no line break divides. */
export const legibleName = (name: string): string => withoutBreaks(boundedName(printable(name)))

/** `index events_kind of events` */
export const legibleObject = (object: FoundObject): string =>
  nameObject({
    ...object,
    name: legibleName(object.name),
    table: object.table === null ? null : legibleName(object.table),
  })

/** @param names that the sentence may quote */
export function legibleSentence(text: string, names: readonly string[] = []): string {
  const shown = cutMiddle(printableSentence(text), sentenceMax)
  return names
    .filter((name) => name.includes(' '))
    .reduce((sentence, name) => sentence.replaceAll(printable(name), withoutBreaks(printable(name))), shown)
}

/** The command, unbroken. If it is too long to be typed: where to find it. */
export const legibleCommand = (command: string): string =>
  command.length > commandMax ? '(too long to show here; --json names what it needs)' : printableSentence(command)
