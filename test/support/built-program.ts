import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Replaces src/host/process/program-beside.ts while tests run, so that they start the built programs. */
export const programBeside = (_moduleUrl: string, name: string): string =>
  fileURLToPath(new URL(`../../dist/${basename(name)}.js`, import.meta.url))
