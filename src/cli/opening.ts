/** How a command opens a run against the service. */
import type { Opening } from '../fleet/run.ts'
import type { RunId } from '../model/brand.ts'
import { printable } from '../report/printable.ts'
import type { Face } from './face.ts'
import { logSteps } from './log.ts'
import type { CommonOptions } from './options.ts'

export function openingOf(face: Face, options: CommonOptions, run: RunId, mode: Opening['mode'], more: Partial<Pick<Opening, 'keep' | 'engine' | 'map' | 'showValues'>> = {}): Opening {
  return {
    run, mode, keep: more.keep ?? null, engine: more.engine ?? 'census', map: more.map ?? false, showValues: more.showValues ?? false,
    version: face.version, argv: process.argv.slice(2), interrupt: face.interrupt.signal, onStep: logSteps(face, run, options.logLevel),
    onNotice: noticeTo(face),
    onEndings: (endings) => {
      for (const { hold, failure } of endings) {
        const how = failure ? `was NOT seen serving again: ${printable(failure.message)}` : 'serves again'
        face.say(`an earlier run left a hold on ${printable(hold.tenant)} open; it ${how}`)
      }
    },
  }
}

/** Says on stderr what has to be said of the ledger itself. */
export const noticeTo = (face: Face) => (notice: string): void => face.say(`holdfast: ledger: ${printable(notice)}`)
