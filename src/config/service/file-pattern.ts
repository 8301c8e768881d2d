/** Patterns of the files of a service without an admin API and hooks (`service.files`). */

import { isAbsolute, join } from 'node:path'
import { pathPattern } from '../../text/path-pattern.ts'
import type { Kind } from '../value.ts'

const textLengthMax = 4096

/** Relative patterns count from the folder of the configuration file. */
export const filePattern = (folder: string): Kind<string> => ({
  expected: 'the path of a file, or a pattern such as "/srv/app/**/*.sqlite"',
  read(given) {
    if (typeof given !== 'string' || given === '' || given.length > textLengthMax || given.includes('\0')) return null
    if (given.split('/').some((part) => part === '..'))
      return { refused: 'must not have .. in it: write the folder that is meant' }
    const text = isAbsolute(given) ? join('/', given) : join(folder, given)
    const pattern = pathPattern(text)
    return 'refused' in pattern ? pattern : { value: text }
  },
})
