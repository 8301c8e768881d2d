/** A reconciliation as text: what disagrees, the gravest first, what is under way, and what was not compared. */

import { createColors } from 'picocolors'
import {
  reconciliationRules,
  type SourceDisagreement,
  type ReconciliationRule,
  type ReconciliationReport,
} from '../../model/reconciliation.ts'
import { count, groupDigits } from '../../text/count.ts'
import { wrapIndented, wrap } from '../../text/layout.ts'
import { registryLines } from '../registry-line.ts'
import { withConfiguration } from '../text/hint.ts'
import { legibleCommand, legibleName, legibleSentence } from '../text/legible.ts'
import type { TextOptions } from '../text/result-words.ts'

const headings: Readonly<Record<ReconciliationRule, string>> = {
  'open-hold': 'Holds that nothing ends',
  'open-change': 'Changes that have not come to their end',
  'claimed-twice': 'Files that several tenants claim',
  'missing-file': 'Files that the service lists and that are not there',
  'outside-roots': 'Files outside of tenants.roots',
  'tenant-gone': 'Tenants that the service no longer lists',
  'file-gone': 'Files that the service no longer lists',
  'unknown-file': 'Databases that no tenant claims',
  'companion-without-main': 'Companions without their database',
  'never-checked': 'Files that were never checked',
  'no-verified-backup': 'Files without a verified backup',
  'backup-without-tenant': 'Backups of what the service does not list',
}

/** Of each rule, unless the text is verbose. */
const listedMax = 10

export function reconciliationText(report: ReconciliationReport, options: TextOptions): string {
  const lines = [
    ...registryLines(report.run.registry, options),
    ...reconciliationRules.flatMap((rule) => ruleLines(rule, report, options)),
    ...notComparedLines(report, options),
    ...inFlightLines(report, options),
    ...sourceLines(report, options),
    ...wrap(summaryOf(report), options.width),
  ]
  return `${lines.join('\n')}\n`
}

function ruleLines(rule: ReconciliationRule, { disagreements, summary }: ReconciliationReport, options: TextOptions) {
  const all = disagreements.filter((one) => one.rule === rule)
  if (all.length === 0) return []
  const total = summary.byRule[rule] ?? all.length
  const shown = options.verbose ? all : all.slice(0, listedMax)
  const { bold } = createColors(options.color)
  return [
    ...wrap(`${headings[rule]}: ${groupDigits(total)} (${rule})`, options.width).map((line) => bold(line)),
    ...shown.flatMap((one) => disagreementLines(one, options)),
    ...(total > shown.length
      ? wrapIndented(`${groupDigits(total - shown.length)} more; --verbose or --json lists them`, options)
      : []),
    '',
  ]
}

function disagreementLines({ said, next, path, tenant }: SourceDisagreement, options: TextOptions): readonly string[] {
  const names = [path, tenant].flatMap((name) => (name === null ? [] : [name]))
  return [
    ...wrapIndented(legibleSentence(said, names), options),
    ...(next === null ? [] : [`    ${legibleCommand(withConfiguration(next, options.config ?? null))}`]),
  ]
}

function notComparedLines({ notCompared }: ReconciliationReport, options: TextOptions): readonly string[] {
  if (notCompared.length === 0) return []
  const shown = options.verbose ? notCompared : notCompared.slice(0, listedMax)
  return [
    ...wrap(`Not compared: ${groupDigits(notCompared.length)}`, options.width),
    ...shown.flatMap(({ what, why }) => wrapIndented(`${legibleName(what)}: ${legibleSentence(why)}`, options)),
    ...(notCompared.length > shown.length ? wrapIndented(`${notCompared.length - shown.length} more`, options) : []),
    '',
  ]
}

function inFlightLines({ inFlight }: ReconciliationReport, options: TextOptions): readonly string[] {
  if (inFlight.length === 0) return []
  if (!options.verbose)
    return wrap(`${count(inFlight.length, 'thing is', 'things are')} under way; --verbose lists them.`, options.width)
  return [
    ...wrap('Under way:', options.width),
    ...inFlight.flatMap(({ rule, tenant, path, why }) =>
      wrapIndented(`${legibleName(path ?? tenant ?? '')} (${rule}): ${legibleSentence(why)}`, options),
    ),
    '',
  ]
}

function sourceLines({ sources }: ReconciliationReport, options: TextOptions): readonly string[] {
  const { files } = sources
  return [
    ...namedLines('Other mounts were searched too', files.mounts, options),
    ...namedLines('Links that lead out of the roots were not followed', files.links, options),
  ]
}

function namedLines(what: string, names: readonly string[], options: TextOptions): readonly string[] {
  if (names.length === 0) return []
  const shown = options.verbose ? names : names.slice(0, listedMax)
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  return wrap(`${what}: ${shown.map((name) => legibleName(name)).join(', ')}${more}.`, options.width)
}

function summaryOf({ sources, summary }: ReconciliationReport): string {
  const { agree, disagreements, exitCode } = summary
  const what =
    `${count(sources.registry.tenants, 'tenant')}, ${count(sources.registry.files, 'file')}, ` +
    `${sources.backups === null ? 'no backups configured' : `backups of ${count(sources.backups.files, 'file')}`}: `
  const found = agree ? 'all agree' : count(disagreements, 'disagreement')
  return `${what}${found}. Exit code ${exitCode}.`
}
