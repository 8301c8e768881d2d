/** What the doctor found: one line a step, and under what is unfit the next thing to do. */
import { createColors } from 'picocolors'
import type { Fitness } from '../fleet/doctor.ts'
import { wrap } from './layout.ts'
import { legibleSentence } from './legible.ts'
import { count } from './units.ts'

const words = { fit: 'ok', warning: 'warning', unfit: 'UNFIT', skipped: 'not tried', paused: 'PAUSED' } as const

export function renderFitness({ steps }: Fitness, options: { readonly width: number; readonly color: boolean }): string {
  const colors = createColors(options.color)
  const paint = { fit: colors.green, warning: colors.yellow, unfit: colors.red, skipped: colors.dim, paused: colors.red }
  const lines = steps.flatMap(({ about, outcome, said, next }) => [
    ...hanging(`${legibleSentence(about)}: ${legibleSentence(said)}`, paint[outcome](words[outcome].padEnd(10)), options.width),
    ...(next === null ? [] : wrap(`next: ${legibleSentence(next)}`, options.width - 12).map((line) => `            ${line}`)),
  ])
  return `${[...lines, '', ...wrap(conclusion(steps), options.width)].join('\n')}\n`
}

/** Nothing is called fit while a step was not tried. */
function conclusion(steps: Fitness['steps']): string {
  const withOutcome = (...outcomes: readonly string[]): number => steps.filter(({ outcome }) => outcomes.includes(outcome)).length
  const unfit = withOutcome('unfit', 'paused')
  const untried = withOutcome('skipped')
  const open = untried === 0 ? '' : ` ${count(untried, 'step was', 'steps were')} not tried.`
  if (unfit > 0) return `${unfit} of ${count(steps.length, 'step')} are unfit.${open}`
  return untried > 0 ? `Nothing wrong was found.${open}` : 'This machine and service are fit for holdfast. What no doctor can try is listed in its help.'
}

function hanging(text: string, word: string, width: number): readonly string[] {
  return wrap(text, width - 12).map((line, index) => `${index === 0 ? `  ${word}` : '            '}${line}`)
}
