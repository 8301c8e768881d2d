import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Path of a program of holdfast.
 * @param moduleUrl the module that starts it
 * @param name its file without extension, relative to the folder of that module; in dist/ all programs are in one
 * folder
 */
export function programBeside(moduleUrl: string, name: string): string {
  const extension = extname(new URL(moduleUrl).pathname)
  const file = extension === '.ts' ? name : basename(name)
  return fileURLToPath(new URL(`${file}${extension}`, moduleUrl))
}
