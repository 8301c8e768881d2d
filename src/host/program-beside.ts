import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Path of the program `name` beside a module, with the module's own extension: .ts when run from src/, .cjs from dist/. */
export function programBeside(moduleUrl: string, name: string): string {
  return fileURLToPath(new URL(`${name}${extname(new URL(moduleUrl).pathname)}`, moduleUrl))
}
