/** Child side: loads the compiled core of the census. */
import { existsSync, readFileSync } from 'node:fs'
import { CompiledCore } from '../../../census/fast/compiled-core.ts'

/** It is beside the built program, or beside the source of the core. */
const here = new URL('core.wasm', import.meta.url)
const programFile = existsSync(here) ? here : new URL('../../../census/fast/core.wasm', import.meta.url)

let core: CompiledCore | null = null

/** The same one for the whole process. null if the processor cannot run it. */
export const loadCore = (): CompiledCore | null => (core ??= CompiledCore.from(readFileSync(programFile)))
