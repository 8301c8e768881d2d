/** Child side: loads the compiled core of the census. */
import { existsSync, readFileSync } from 'node:fs'
import { CompiledCore } from '../../../census/fast/compiled-core.ts'

/** Beside the built program; from sources it lies with the core that it is made of. */
const here = new URL('core.wasm', import.meta.url)
const programFile = existsSync(here) ? here : new URL('../../../census/fast/core.wasm', import.meta.url)

let core: CompiledCore | null = null

/** One for a process. null where the processor cannot run it. */
export const loadCore = (): CompiledCore | null => (core ??= CompiledCore.from(readFileSync(programFile)))
