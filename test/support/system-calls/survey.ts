/** Makes many trials, a few at the same time, and says which went wrong and how to see it again. */
import { commandFor, type Injection } from './injection.ts'
import { openPlace, type Place } from './place.ts'
import { tryOut } from './trial.ts'

export interface Survey {
  readonly trials: number
  /** The command did not come to the call: its threads took another turn. */
  readonly missed: number
  /** Each with the command that shows it. */
  readonly wrong: readonly string[]
}

/** Trials wait for children and leases: a few at a time keep two processors busy. */
const atOnce = 3

export async function survey(injections: readonly Injection[]): Promise<Survey> {
  const waiting = [...injections]
  const wrong: string[] = []
  let missed = 0
  const work = async (place: Place): Promise<void> => {
    for (let injection = waiting.shift(); injection !== undefined; injection = waiting.shift()) {
      const { complaints, failed, ended } = await tryOut(place, injection)
      if (failed.length === 0) missed++
      const calls = failed.map(({ name, args }) => `failed: ${name}(${args}`)
      const said = ended.stderr.slice(0, 1_000)
      if (complaints.length > 0) wrong.push([commandFor(injection), ...calls, ...complaints, said].join('\n  '))
    }
  }
  await Promise.all(
    Array.from({ length: Math.min(atOnce, injections.length) }, async () => {
      await using place = await openPlace()
      await work(place)
    }),
  )
  return { trials: injections.length, missed, wrong }
}
