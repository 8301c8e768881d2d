/**
 * What the rules of the application say (`check.invariants`). A violated rule is never corruption: the class of damage
 * stays `none`, and no remedy of holdfast acts on it. Pure.
 */

import type { Finding, RowKey } from '../../model/result/finding.ts'
import type { Result } from '../../model/result/report.ts'
import { count } from '../../text/count.ts'
import { theFile } from '../messages/schema-view.ts'
import { nothingToMend } from '../remedy.ts'

/** What became of one rule. */
export interface JudgedRule {
  readonly name: string
  readonly severity: 'notice' | 'inconclusive' | 'damage'
  readonly outcome:
    | { readonly kind: 'held' }
    /** `more`: there are more than `total` rows. */
    | { readonly kind: 'rows'; readonly keys: readonly RowKey[]; readonly total: number; readonly more: boolean }
    /** What a command printed: the first lines, printable, and the number of all. */
    | { readonly kind: 'lines'; readonly lines: readonly string[]; readonly total: number }
    | { readonly kind: 'unjudged'; readonly why: string }
}

/** The result of a check that found no damage, with what the rules say. */
export function withInvariants(result: Result, judged: readonly JudgedRule[]): Result {
  const found = judged.flatMap(findingOf)
  if (found.length === 0) return result
  const isViolated = ({ severity, outcome: { kind } }: JudgedRule, wanted: JudgedRule['severity']): boolean =>
    severity === wanted && (kind === 'rows' || kind === 'lines')
  const grave = judged.filter((one) => isViolated(one, 'damage'))
  const unsure = judged.filter((one) => isViolated(one, 'inconclusive'))
  const findings = [
    ...found.filter(({ severity }) => severity === 'damage'),
    ...result.findings,
    ...found.filter(({ severity }) => severity !== 'damage'),
  ]
  const all = { ...result, findings, findingsTotal: result.findingsTotal + found.length }
  if (grave.length > 0) return asDamaged(all, grave)
  if (unsure.length === 0) return all
  const reason = `${namesOf(unsure)} violated`
  const before = result.verdict === 'inconclusive' && result.reason !== undefined ? `${result.reason}; ` : ''
  return {
    ...all,
    verdict: 'inconclusive',
    reason: `${before}${reason}`,
    remedy: nothingToMend(`${before}${reason}`, 'holdfast explain invariant-violated'),
  }
}

/** A person decides, and neither `repair` nor `restore`. */
function asDamaged(result: Result, grave: readonly JudgedRule[]): Result {
  const { reason: _, ...rest } = result
  return {
    ...rest,
    verdict: 'damaged',
    damage: 'none',
    remedy: {
      do: 'ask',
      indexes: [],
      rehearsed: false,
      why:
        `${namesOf(grave)} violated, which the configuration treats as damage. No damage of the file itself was ` +
        'found, and neither a repair nor a restore is called for: show it to the owner of the application',
      command: 'holdfast explain invariant-violated',
    },
  }
}

const namedMax = 3
function namesOf(rules: readonly JudgedRule[]): string {
  const names = rules.slice(0, namedMax).map(({ name }) => `"${name}"`)
  const more = rules.length - names.length
  return (
    `${rules.length === 1 ? 'the rule' : 'the rules'} ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''} of ` +
    `the application ${rules.length === 1 ? 'is' : 'are'}`
  )
}

function findingOf({ name, severity, outcome }: JudgedRule): readonly Finding[] {
  const common = { source: 'invariant', object: theFile, invariant: name } as const
  const violated = {
    ...common,
    rule: 'invariant-violated',
    severity: severity === 'damage' ? 'damage' : 'notice',
  } as const
  const says = `the rule "${name}" of the application does not hold:`
  switch (outcome.kind) {
    case 'held':
      return []
    case 'rows': {
      const { keys, total, more } = outcome
      const rows = `${more ? 'more than ' : ''}${count(total, 'row violates', 'rows violate')} it`
      return [{ ...violated, rows: keys, total, text: `${says} ${rows}` }]
    }
    case 'lines': {
      const { lines, total } = outcome
      const printed = total === 0 ? 'its command says so' : `its command reports ${count(total, 'line')}`
      return [{ ...violated, ...(lines.length === 0 ? {} : { lines, total }), text: `${says} ${printed}` }]
    }
    case 'unjudged':
      return [
        {
          ...common,
          rule: 'invariant-unjudged',
          severity: 'notice',
          text: `the rule "${name}" of the application could not be judged: ${outcome.why}`,
        },
      ]
  }
}
