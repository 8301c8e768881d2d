import { expect } from 'vitest'
import { parseSettings } from '../../../src/config/parse.ts'
import { Failure } from '../../../src/model/failure.ts'

export const file = '/etc/holdfast/holdfast.yaml'
/** The shortest configuration that is accepted. */
export const least = 'service: { name: notes, admin: unix:/run/notes/admin.sock }\ntenants: { roots: [/srv/notes] }\n'

/** @returns `LINE:COLUMN: problem` for each problem; none if the text is accepted */
export const problemsOf = (text: string): string[] =>
  refusalOf(text)
    ?.message.split('\n')
    .map((line) => line.replace(`${file}:`, '')) ?? []

/** @returns the failure; null if the text is accepted */
export function refusalOf(text: string): Failure | null {
  try {
    parseSettings(text, file)
  } catch (error) {
    expect(error).toBeInstanceOf(Failure)
    expect((error as Failure).code).toBe('CONFIG_INVALID')
    return error as Failure
  }
  return null
}
