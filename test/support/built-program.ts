import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * In the place of src/host/process/program-beside.ts while tests run: the program as it was built, whatever the module
 * that starts it was loaded from.
 */
export const programBeside = (_moduleUrl: string, name: string): string =>
  fileURLToPath(new URL(`../../dist/${basename(name)}.js`, import.meta.url))
