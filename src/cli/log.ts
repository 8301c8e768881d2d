/**
 * The log: a line for each step of a hold on stderr, with run, tenant and step (I2.4). It can make no run fail (I4.1).
 */
import type { Target } from '../fleet/run/target.ts'
import type { HoldStep } from '../hold/record.ts'
import type { RunId } from '../model/brand.ts'
import { jsonText } from '../text/json-text.ts'
import type { Terminal } from './terminal/terminal.ts'

export const logLevels = ['silent', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

/** Logs what is no step of a hold, such as an attempt to send an alarm. */
export function logLine(terminal: Terminal, level: LogLevel, fields: Readonly<Record<string, unknown>>): void {
  if (level !== 'silent') terminal.log(jsonText({ at: new Date().toISOString(), ...fields }, 0))
}

/** @returns the function that logs a step */
export function logSteps(terminal: Terminal, run: RunId, level: LogLevel): (target: Target, step: HoldStep) => void {
  if (level === 'silent') return () => undefined
  const shown = new Set<HoldStep>(['asked', 'quiesced', 'resumed'])
  return ({ tenant, named }, step) => {
    if (level === 'info' && !shown.has(step)) return
    terminal.log(jsonText({ at: new Date().toISOString(), run, tenant, path: named, step }, 0))
  }
}
