/** Child side: loads the compiled core of the census. */
import { readFileSync } from 'node:fs'
import { CompiledCore } from '../census/compiled-core.ts'

let core: CompiledCore | null = null

/** One for a process. null where the processor cannot run it. */
export const loadCore = (): CompiledCore | null => core ??= CompiledCore.from(readFileSync(new URL('core.wasm', import.meta.url)))
