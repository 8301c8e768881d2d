/** Prints what the doctor found: one line for each step, and below an unfit step what to do next. */

import { createColors } from 'picocolors'
import type { Fitness } from '../../doctor/doctor.ts'
import { count } from '../../text/count.ts'
import { wrap } from '../../text/layout.ts'
import { legibleSentence } from './legible.ts'

const words = { fit: 'ok', warning: 'warning', unfit: 'UNFIT', skipped: 'not tried', paused: 'PAUSED' } as const

export function renderFitness(
  { steps }: Pick<Fitness, 'steps'>,
  options: { readonly width: number; readonly color: boolean },
): string {
  const colors = createColors(options.color)
  const paint = {
    fit: colors.green,
    warning: colors.yellow,
    unfit: colors.red,
    skipped: colors.dim,
    paused: colors.red,
  }
  const lines = withoutRepeats(steps).flatMap(({ about, outcome, said, next }) => [
    ...wrapAfterWord(
      `${legibleSentence(about)}: ${legibleSentence(said)}`,
      paint[outcome](words[outcome].padEnd(10)),
      options.width,
    ),
    ...(next === null
      ? []
      : wrap(`next: ${legibleSentence(next)}`, options.width - 12).map((line) => `            ${line}`)),
  ])
  return `${[...lines, '', ...wrap(conclusion(steps), options.width)].join('\n')}\n`
}

/** A step that is unfit for the same reason as a step above names that step. The JSON document has both in full. */
function withoutRepeats(steps: Fitness['steps']): Fitness['steps'] {
  const first = new Map<string, string>()
  const shortly = (text: string, about: string): string => {
    const before = first.get(text)
    if (before === undefined) first.set(text, about)
    const pointer = `same as ${before}`
    return before === undefined || pointer.length >= text.length ? text : pointer
  }
  return steps.map((step) => {
    if (step.outcome !== 'unfit') return step
    const said = shortly(step.said, step.about)
    if (said !== step.said || step.next === null) return { ...step, said, next: said === step.said ? step.next : null }
    const [reason = ''] = step.next.split('; or ') // What else could be done differs from step to step.
    const next = shortly(reason, step.about)
    return { ...step, said, next: next === reason ? step.next : next }
  })
}

/** The machine is called fit only if every step was tried. */
function conclusion(steps: Fitness['steps']): string {
  const withOutcome = (...outcomes: readonly string[]): number =>
    steps.filter(({ outcome }) => outcomes.includes(outcome)).length
  const unfit = withOutcome('unfit', 'paused')
  const untried = withOutcome('skipped')
  const warnings = withOutcome('warning')
  const more = [
    ...(warnings === 0 ? [] : [`${count(warnings, 'warning')}.`]),
    ...(untried === 0 ? [] : [`${count(untried, 'step was', 'steps were')} not tried.`]),
  ]
  const still = withOutcome('paused') === 0 ? [] : ['A TENANT MAY STILL BE PAUSED.']
  if (unfit > 0)
    return [...still, `${unfit} of ${count(steps.length, 'step')} ${unfit === 1 ? 'is' : 'are'} unfit.`, ...more].join(
      ' ',
    )
  if (more.length > 0) return ['Nothing is unfit.', ...more].join(' ')
  return "This machine and service are fit for holdfast. The doctor's help lists what it cannot test."
}

function wrapAfterWord(text: string, word: string, width: number): readonly string[] {
  return wrap(text, width - 12).map((line, index) => `${index === 0 ? `  ${word}` : '            '}${line}`)
}
