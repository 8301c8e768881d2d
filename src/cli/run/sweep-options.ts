/** Options of `sweep`: what it takes, in which order, and for how long. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { SweepSettings } from '../../config/settings.ts'
import { durationMs } from '../../config/units.ts'
import type { RunTotals } from '../../runs/pipeline.ts'
import { sweepOrders, type SweepOrder } from '../../runs/selection/selection.ts'
import type { SweepPlan, SweepRequest } from '../../runs/selection/sweep-plan.ts'
import { count } from '../../text/count.ts'
import { humanMs } from '../../text/units.ts'
import { durationOption, onlyOption, sampledDepthOption, type WantedDepth } from '../options.ts'
import { timeOption } from './remedy-options.ts'

export interface SelectionOptions {
  readonly only?: readonly string[]
  readonly depth: WantedDepth
  readonly order: SweepOrder
  /** In ms; 0: all tenants are due. */
  readonly maxAge?: number
  readonly budget?: number
  /** ms since 1970. */
  readonly deadline?: number
  readonly continue?: boolean
}

export const withSelection = (command: Command): Command =>
  command
    .addOption(onlyOption())
    .addOption(sampledDepthOption())
    .addOption(
      new Option('--order <order>', 'due: the longest unchecked first; registry: as the service lists them')
        .choices(sweepOrders)
        .default('due'),
    )
    .option(
      '--max-age <duration>',
      'leave out tenants that a younger full check found sound, if nothing changed them since; 0s takes all ' +
        '(default: sweep.maxAge)',
      ageOption,
    )
    .option(
      '--budget <duration>',
      'after this time, begin no other tenant; the next sweep begins with those that are left (default: sweep.budget)',
      durationOption,
    )
    .option('--deadline <time>', 'the same at a time: 06:00 here, or 2026-11-28T06:00Z', deadlineOption)
    .option('--continue', 'go on where an interrupted sweep of the last 24 hours stopped')

function ageOption(text: string): number {
  const ms = durationMs(text)
  if (ms === undefined) throw new InvalidArgumentError('It must be a duration such as 24h or 2d, or 0s.')
  return ms
}

/** A time of day is the next one by the clock of this machine. @returns ms since 1970 */
export function deadlineOption(text: string, _before: unknown, now = new Date()): number {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  if (hours === undefined) return Date.parse(timeOption(text))
  const next = new Date(now)
  next.setHours(Number(hours), Number(minutes), 0, 0)
  if (next <= now) next.setDate(next.getDate() + 1)
  return next.getTime()
}

/** @param depthIsGiven false if the depth is the default */
export function sweepRequest(
  options: SelectionOptions,
  depthIsGiven: boolean,
  { maxAgeMs, budgetMs }: SweepSettings,
): SweepRequest {
  return {
    only: options.only,
    depth: depthIsGiven ? options.depth.depth : undefined,
    order: options.order,
    maxAgeMs: options.maxAge === undefined ? maxAgeMs : options.maxAge === 0 ? null : options.maxAge,
    continues: options.continue ?? false,
    budgetMs: options.budget ?? budgetMs,
    deadlineAt: options.deadline ?? null,
  }
}

/** Sentences for the report: which sweep this one continues. */
export function noticesOfPlan({ continues: asked }: SweepRequest, { continues, scope }: SweepPlan): readonly string[] {
  if (continues)
    return [
      `this run goes on with the sweep that began at ${new Date(scope.since).toISOString()}. ` +
        'What that one found sound is not due',
    ]
  return asked ? ['no sweep of the last 24 hours was interrupted, so a new one began'] : []
}

/** Sentences for the report: why tenants were left although nothing stopped the run. */
export function noticesOfEnd(
  { budgetMs, deadlineAt }: SweepRequest,
  { stopped, notCovered }: Pick<RunTotals, 'stopped' | 'notCovered'>,
): readonly string[] {
  if (stopped !== null || notCovered === 0) return []
  const limit =
    deadlineAt !== null && Date.now() >= deadlineAt ? 'the deadline' : `the budget of ${humanMs(budgetMs ?? 0)}`
  return [`${limit} is over: ${count(notCovered, 'file is', 'files are')} left, and the next sweep begins with them`]
}
