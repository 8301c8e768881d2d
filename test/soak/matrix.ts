/** Every wound in every layout: repaired and undone, restored, salvaged. */
import { toRepair, toRestore } from '../support/remedies/matrix-cases.ts'
import { inEveryLayout, repairAll } from '../support/remedies/matrix.ts'
import { restoreOne, salvageOne } from '../support/remedies/restores.ts'

const repairsAtOnce = 40

/**
 * @param step one case in so many is tried
 * @returns true if nothing was wrong
 */
export async function runMatrix(step: number, say: (line: string) => void): Promise<boolean> {
  const oneIn = <One>(cases: readonly One[]): readonly One[] => cases.filter((_, at) => at % step === 0)
  const complaints: string[] = []
  const complain = (lines: readonly string[]): void => {
    complaints.push(...lines)
    for (const line of lines) say(`  WRONG: ${line}`)
  }
  const repairs = oneIn(inEveryLayout(toRepair()))
  for (let at = 0; at < repairs.length; at += repairsAtOnce) {
    const some = repairs.slice(at, at + repairsAtOnce)
    complain((await repairAll(some)).complaints)
    say(`repair: ${at + some.length} of ${repairs.length}`)
  }
  const lost = oneIn(inEveryLayout(toRestore()))
  for (const [at, [one, layout]] of lost.entries()) {
    const about = `${one.name} (${one.subject.name}, ${layout})`
    complain((await restoreOne(one, layout)).map((line) => `restore: ${about}: ${line}`))
    complain((await salvageOne(one, layout)).map((line) => `salvage: ${about}: ${line}`))
    if (at % 20 === 19) say(`restore and salvage: ${at + 1} of ${lost.length}`)
  }
  say(`${repairs.length} repairs, ${lost.length} restores and salvages: ${complaints.length} complaints`)
  return complaints.length === 0
}
