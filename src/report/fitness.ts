/** What the doctor found: one line a step, and under what is unfit the next thing to do. */
import { createColors } from 'picocolors'
import type { Fitness } from '../fleet/doctor.ts'
import { wrap } from './layout.ts'
import { printableSentence } from './printable.ts'

const words = { fit: 'ok', warning: 'warning', unfit: 'UNFIT', skipped: 'not tried', paused: 'PAUSED' } as const

export function renderFitness({ steps }: Fitness, options: { readonly width: number; readonly color: boolean }): string {
  const colors = createColors(options.color)
  const paint = { fit: colors.green, warning: colors.yellow, unfit: colors.red, skipped: colors.dim, paused: colors.red }
  const lines = steps.flatMap(({ about, outcome, said, next }) => [
    ...hanging(`${about}: ${printableSentence(said)}`, paint[outcome](words[outcome].padEnd(10)), options.width),
    ...(next === null ? [] : wrap(`next: ${printableSentence(next)}`, options.width - 12).map((line) => `            ${line}`)),
  ])
  return `${[...lines, '', ...wrap(conclusion(steps), options.width)].join('\n')}\n`
}

/** Nothing is called fit while a step was not tried. */
function conclusion(steps: Fitness['steps']): string {
  const count = (...outcomes: readonly string[]): number => steps.filter(({ outcome }) => outcomes.includes(outcome)).length
  const unfit = count('unfit', 'paused')
  const untried = count('skipped')
  const open = untried === 0 ? '' : ` ${untried === 1 ? '1 step was' : `${untried} steps were`} not tried.`
  if (unfit > 0) return `${unfit} of ${steps.length} steps are unfit.${open}`
  return untried > 0 ? `Nothing wrong was found.${open}` : 'This machine and service are fit for holdfast. What no doctor can try is listed in its help.'
}

function hanging(text: string, word: string, width: number): readonly string[] {
  return wrap(text, width - 12).map((line, index) => `${index === 0 ? `  ${word}` : '            '}${line}`)
}
