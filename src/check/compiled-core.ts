/** Child side: loads the compiled core of the census. */
import { readFileSync } from 'node:fs'
import { CompiledCore } from '../census/compiled-core.ts'

export const loadCore = (): CompiledCore | null => CompiledCore.from(readFileSync(new URL('core.wasm', import.meta.url)))
