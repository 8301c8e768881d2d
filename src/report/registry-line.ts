/** Where the list of tenants of a run is from, as a report says it. */

import type { RegistrySource } from '../model/event.ts'
import { wrap } from '../text/layout.ts'
import { printableSentence } from '../text/printable.ts'
import type { TextOptions } from './text/result-words.ts'

/** `run.registry` of a report: `live`, `cached since …Z`, or `none` if the run had no list. */
export function registryWord(source: RegistrySource): string {
  switch (source.source) {
    case 'live':
      return 'live'
    case 'cached':
      return `cached since ${new Date(source.since).toISOString()}`
    case 'refused':
      return 'none'
  }
}

/** A line for text, with an empty one after it. Nothing if the service gave its list, or if no list was needed. */
export const registryLines = (registry: string, { width }: TextOptions): readonly string[] =>
  registry === 'live' || registry === 'none'
    ? []
    : [...wrap(`The service gave no valid list of tenants. List: ${printableSentence(registry)}.`, width), '']
