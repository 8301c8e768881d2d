/**
 * The log on stderr: a line for each step of a hold and for each result, with run, tenant and step (I2.4). For programs
 * a line is JSON; on a terminal it is for a person. It can make no run fail (I4.1).
 */

import type { HoldStep } from '../../hold/record.ts'
import type { RunId } from '../../model/brand.ts'
import type { Result } from '../../model/result/report.ts'
import type { Target } from '../../runs/begin/target.ts'
import { jsonText } from '../../text/json-text.ts'
import { printable } from '../../text/printable.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { traceResult, traceStep } from './tracing.ts'

export const logLevels = ['silent', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

/** What every line has. */
interface LogFields {
  readonly run: RunId
  readonly tenant: string | null
  readonly step: string
  readonly path?: string
  readonly [name: string]: unknown
}

export function logLine(terminal: Pick<Terminal, 'log' | 'aside'>, level: LogLevel, fields: LogFields): void {
  if (level === 'silent') return
  const at = new Date().toISOString()
  terminal.log(terminal.aside.drawsLines ? forPerson(at, fields) : jsonText({ at, ...fields }, 0))
}

/** The run is left out: a person sees one at a time. */
function forPerson(at: string, { run: _run, tenant, step, path, ...others }: LogFields): string {
  const more = Object.entries(others).filter(([, value]) => value !== null && value !== undefined)
  const words = [tenant ?? path ?? '', step, ...more.map(([name, value]) => `${name}=${textOf(value)}`)]
  return `${at.slice(11, 23)} ${printable(words.filter((word) => word !== '').join(' '))}`
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : jsonText(value, 0))

/** @returns the function that logs and traces a step */
export function logSteps(terminal: Terminal, run: RunId, level: LogLevel): (target: Target, step: HoldStep) => void {
  const shown = new Set<HoldStep>(['asked', 'quiesced', 'resumed'])
  return ({ tenant, named }, step) => {
    traceStep(tenant, named, step)
    if (level === 'info' && !shown.has(step)) return
    logLine(terminal, level, { run, tenant, path: named, step })
  }
}

/** Logs and traces what became of one file. */
export function logResult(terminal: Terminal, run: RunId, level: LogLevel, result: Result): void {
  traceResult(run, result)
  const { tenant, path, verdict, damage, failure, timings } = result
  const { pauseMs, checkMs } = timings
  logLine(terminal, level, {
    run,
    tenant,
    path,
    step: 'result',
    verdict,
    damage,
    failure: failure?.code ?? null,
    pauseMs,
    checkMs,
  })
}
