/** Makes many trials in parallel, and reports which went wrong and how to repeat them. */
import { reproduceCommand, type Injection } from './injection.ts'
import { openScene, type Scene } from './scene.ts'
import { tryInjection } from './trial.ts'

export interface Survey {
  readonly trials: number
  /** Trials whose command did not reach the call, because its threads ran in another order. */
  readonly missed: number
  /** Each with the command that repeats it. */
  readonly wrong: readonly string[]
}

/** Trials mostly wait for children and leases. */
const inParallel = 3

export async function survey(injections: readonly Injection[]): Promise<Survey> {
  const waiting = [...injections]
  const wrong: string[] = []
  let missed = 0
  const work = async (scene: Scene): Promise<void> => {
    for (let injection = waiting.shift(); injection !== undefined; injection = waiting.shift()) {
      const { complaints, failed, ended } = await tryInjection(scene, injection)
      if (failed.length === 0) missed++
      const calls = failed.map(({ name, args }) => `failed: ${name}(${args}`)
      const said = ended.stderr.slice(0, 1_000)
      if (complaints.length > 0) wrong.push([reproduceCommand(injection), ...calls, ...complaints, said].join('\n  '))
    }
  }
  await Promise.all(
    Array.from({ length: Math.min(inParallel, injections.length) }, async () => {
      await using scene = await openScene()
      await work(scene)
    }),
  )
  return { trials: injections.length, missed, wrong }
}
