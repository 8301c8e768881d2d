/**
 * Finds and reads the configuration file. `parse.ts` is imported, with its libraries, only if there is a file: a check
 * of bare files needs none.
 */

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isNotFound, isSystemError, systemFailure } from '../host/failures/system-failure.ts'
import { readSmallFile } from '../host/files/small-file.ts'
import { findUntrusted } from '../host/files/trusted-path.ts'
import { Failure } from '../model/failure.ts'
import type { Settings } from './settings.ts'

export { defaultCheckSettings, defaultHoldSettings } from './defaults.ts'

const usualPlaces = ['holdfast.yaml', '/etc/holdfast/holdfast.yaml'] as const
export const fileBytesMax = 1_000_000

/**
 * @param given null: the first of `places` that exists is taken
 * @returns the absolute path of the configuration file
 * @throws {Failure} CONFIG_INVALID, naming the places that were tried
 */
export async function findConfiguration(
  given: string | null,
  places: readonly string[] = usualPlaces,
): Promise<string> {
  const tried = configurationPlaces(given, places)
  for (const place of tried) if (await isThere(place)) return place
  throw new Failure('CONFIG_INVALID', `no configuration: there is no ${tried.join(' and no ')}`, {
    hint: 'write a holdfast.yaml, or name yours with --config FILE',
  })
}

/** The absolute paths at which a configuration may be, in their order. */
export const configurationPlaces = (given: string | null, places: readonly string[] = usualPlaces): readonly string[] =>
  given === null ? places.flatMap(placeIn) : [absolute(given)]

/** Empty if the current folder was removed. */
function placeIn(place: string): readonly string[] {
  try {
    return [resolve(place)]
  } catch (error) {
    if (isSystemError(error)) return []
    throw error
  }
}

function absolute(path: string): string {
  try {
    return resolve(path)
  } catch (error) {
    throw systemFailure(error, { doing: 'find the configuration', path, pathCode: 'CONFIG_INVALID' })
  }
}

/** Also true if permissions hide the file: the attempt to read it will give the reason. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    return !isNotFound(error)
  }
}

/** @throws {Failure} CONFIG_INVALID, listing everything that is wrong */
export async function loadSettings(file: string): Promise<Settings> {
  const path = resolve(file)
  const text = await readConfiguration(path)
  const { parseSettings } = await import('./parse.ts')
  return parseSettings(text, path)
}

/**
 * The text of the file. It names commands that holdfast runs, often as root: a user who can change it could become
 * root.
 * @throws {Failure} CONFIG_INVALID
 */
export async function readConfiguration(path: string): Promise<string> {
  const refused = (why: string, cause?: unknown): Failure => new Failure('CONFIG_INVALID', `${path}: ${why}`, { cause })
  requireTrusted(path)
  try {
    const file = await readSmallFile(path, fileBytesMax, 'follow')
    switch (file.kind) {
      case 'not-regular':
        throw refused('is not a regular file')
      case 'too-large':
        throw refused(`has ${file.size} bytes; a configuration has at most ${fileBytesMax}`)
      case 'read':
        return new TextDecoder('utf-8', { fatal: true }).decode(file.bytes)
    }
  } catch (error) {
    if (error instanceof TypeError) throw refused('is not UTF-8 text', error)
    throw systemFailure(error, {
      doing: 'read the configuration',
      path,
      pathCode: 'CONFIG_INVALID',
      elsewhere: 'name another with --config FILE',
    })
  }
}

/** @throws {Failure} CONFIG_INVALID when another user could change the file, or put another one in its place */
function requireTrusted(path: string): void {
  const untrusted = findUntrusted(path, 'file')
  if (untrusted === null) return
  const where = untrusted.path === path ? '' : `${untrusted.path} leads to it: `
  throw new Failure(
    'CONFIG_INVALID',
    `another user could change ${path}, which names commands that holdfast runs: ${where}${untrusted.why}`,
    {
      hint:
        'check the contents of the file, then ' +
        `${untrusted.remedy ?? 'copy it to a folder that no other user can write, such as /etc/holdfast'}; ` +
        'or name another one with --config FILE',
    },
  )
}
