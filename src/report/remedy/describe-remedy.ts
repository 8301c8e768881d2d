/** One remedy as labelled lines. The order is the order of a person's questions. */

import { createColors } from 'picocolors'
import type { AccountSummary } from '../../model/result/account.ts'
import type { Finding } from '../../model/result/finding.ts'
import type { RemedyOutcome, RemedyResult, TableLoss } from '../../model/result/remedy.ts'
import { count } from '../../text/count.ts'
import { wrapLabelled, wrap } from '../../text/layout.ts'
import { humanBytes, humanMs } from '../../text/units.ts'
import { withConfiguration } from '../text/hint.ts'
import { legibleCommand, legibleName, legibleSentence } from '../text/legible.ts'
import type { TextOptions } from '../text/result-words.ts'
import { tableLines } from '../text/table-rows.ts'
import { describeAccount } from './account-words.ts'
import { isMaybePaused, remedyStateOf, type RemedyMode, type RemedyState } from './remedy-summary.ts'
import { backupAge, planWords, describeLoss, sincePlan, whenUtc } from './remedy-words.ts'

const findingsShownMax = 3
const lossesShownMax = 10
const accountLinesMax = 20

const titles: Readonly<Record<RemedyState, string>> = {
  ready: 'READY',
  applied: 'APPLIED',
  undone: 'UNDONE',
  nothing: 'SOUND',
  ask: 'TO DECIDE',
  failed: 'FAILED',
}

export function describeRemedy(
  { result, check, account }: RemedyOutcome,
  mode: RemedyMode,
  options: TextOptions,
): readonly string[] {
  const state = remedyStateOf(result, mode)
  return [
    ...titleLines(
      result,
      isMaybePaused(result) ? 'PAUSED?' : mode === 'salvage' && state === 'applied' ? 'SALVAGED' : titles[state],
      options,
    ),
    ...wrongLines(result, check?.findings ?? [], options),
    ...(check === null || result.plan.do === 'undo' ? [] : tableLines(check, options)),
    ...sinceLines(result, options),
    ...(result.applied === null ? planLines(result, state, options) : doneLines(result, mode, options)),
    ...accountLines(result, account, options),
    ...failureLines(result, options),
    ...commandLines(result, state, options),
  ]
}

const line = (label: string, text: string, options: TextOptions): readonly string[] =>
  wrapLabelled(label, text, { indent: 2, labelWidth: 8, width: options.width })

function titleLines({ tenant, path }: RemedyResult, word: string, options: TextOptions): readonly string[] {
  const title = [word, ...(tenant === null ? [] : [legibleName(tenant)]), legibleName(path)].join('  ')
  return wrap(title, options.width).map((one) => createColors(options.color).bold(one))
}

const verdictWords = { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'not read' } as const

function wrongLines(
  { before, applied, plan }: RemedyResult,
  findings: readonly Finding[],
  options: TextOptions,
): readonly string[] {
  if (plan.do === 'undo') return []
  const shown = options.verbose ? findings : findings.slice(0, findingsShownMax)
  const more = before.findingsTotal - shown.length
  const damage = before.damage === 'none' ? '' : ` (${before.damage})`
  return [
    ...line(applied === null ? 'wrong' : 'was', `${verdictWords[before.verdict]}${damage}`, options),
    ...shown.flatMap(({ text, rule, object }) =>
      line('', `${legibleSentence(text, [object.name, object.table ?? ''])} (${rule})`, options),
    ),
    ...(shown.length > 0 && more > 0
      ? line('', `and ${count(more, 'more finding')}; \`holdfast check\` shows them`, options)
      : []),
  ]
}

/** A plan of this very run needs no line. */
const sinceLines = ({ planned, applied }: RemedyResult, options: TextOptions): readonly string[] =>
  planned === undefined || (planned.same && applied === null) ? [] : line('since', sincePlan(planned), options)

function planLines(result: RemedyResult, state: RemedyState, options: TextOptions): readonly string[] {
  const { plan, rehearsal } = result
  if (plan.do === 'nothing') return line('plan', `nothing: ${legibleSentence(plan.why)}`, options)
  const words = state === 'ask' ? `${plan.do}: ` : `${planWords(plan, 'to')}; `
  const age = plan.backup === null ? null : backupAge(plan.backup, Date.now())
  return [
    ...line('plan', `${words}${legibleSentence(plan.why)}${age === null ? '' : `; the backup is ${age} old`}`, options),
    ...(rehearsal === null ? [] : line('tried', triedOf(rehearsal, plan.do), options)),
    ...(rehearsal === null ? [] : lossLines(result, options)),
    ...(state === 'ready' ? costLines(result, options) : []),
  ]
}

function triedOf(
  { verdict, contentSame, ms }: NonNullable<RemedyResult['rehearsal']>,
  todo: RemedyResult['plan']['do'],
): string {
  const where = todo === 'restore' ? 'restored to a scratch folder' : 'on a copy'
  const content = contentSame ? ', and every table holds what it held before' : ''
  return `${where} in this run, in ${humanMs(ms)}: ${verdictWords[verdict]}${verdict === 'sound' ? content : ''}`
}

function lossLines({ plan }: RemedyResult, options: TextOptions): readonly string[] {
  const { bold } = createColors(options.color)
  const shown = options.verbose ? plan.losses : plan.losses.slice(0, lossesShownMax)
  const more = plan.losses.length - shown.length
  const label = plan.losses.every(({ lost, changed }) => lost === 0 && changed === 0) ? 'rows' : 'lost'
  return [
    ...(plan.losses.length === 0 ? line('lost', 'nothing', options) : []),
    ...shown.flatMap((loss, at) => {
      const lines = line(at === 0 ? label : '', describeLoss(loss, plan.do), options)
      return loss.lost === 0 ? lines : lines.map((one) => bold(one))
    }),
    ...(more > 0 ? line('', `and ${count(more, 'more table')}; --verbose shows them`, options) : []),
  ]
}

function accountLines(
  { account: path }: RemedyResult,
  account: AccountSummary | null,
  options: TextOptions,
): readonly string[] {
  const sentences = account === null ? [] : describeAccount(account)
  const shown = options.verbose ? sentences : sentences.slice(0, accountLinesMax)
  const more = sentences.length - shown.length
  const all = [
    ...shown,
    ...(more > 0 ? [`and ${count(more, 'more line')}; --verbose shows them`] : []),
    ...(path === null ? [] : [`${legibleName(path)} lists every row and entry`]),
  ]
  return all.flatMap((text, at) => line(at === 0 ? 'account' : '', text, options))
}

function costLines({ plan, tenant }: RemedyResult, options: TextOptions): readonly string[] {
  const pause =
    tenant === null
      ? 'no pause: no program may have the file open'
      : plan.predictedPauseMs === null
        ? 'a pause that cannot be predicted'
        : `a pause of about ${humanMs(plan.predictedPauseMs)}, longer if the tenant writes meanwhile`
  const space = plan.needsBytes === null ? '' : `; at most ${humanBytes(plan.needsBytes)} of disk space`
  const how = plan.method === 'in-place' ? '; the file is written in place' : ''
  return line('costs', `${pause}${space}${how}`, options)
}

const seenAfter = (verdict: keyof typeof verdictWords): string =>
  verdict === 'sound' || verdict === 'damaged'
    ? 'a fresh snapshot was checked'
    : 'no fresh snapshot could be checked wholly'

function doneLines(result: RemedyResult, mode: RemedyMode, options: TextOptions): readonly string[] {
  const { plan, applied, tenant } = result
  if (applied === null) return []
  const how = applied.method === 'in-place' ? ' in place' : plan.do === 'undo' ? '' : ' by a new file of the same name'
  const pause = [
    ...(applied.pauseMs === null ? [] : [`the tenant did not serve for ${humanMs(applied.pauseMs)}`]),
    ...(applied.healthy === null ? [] : [applied.healthy ? 'it serves again and is healthy' : 'IT IS NOT HEALTHY']),
  ]
  if (mode === 'salvage')
    return [
      ...line('done', `${planWords(plan, 'did')}, ${whenUtc(applied.at)}`, options),
      ...line('found', legibleSentence(plan.why), options),
      ...line('new', `${legibleName(applied.original)}: ${verdictWords[applied.verdict]}`, options),
      ...lossLines(result, options),
    ]
  return [
    ...line('done', `${planWords(plan, 'did')}${how}, ${whenUtc(applied.at)}, change ${applied.change}`, options),
    ...(tenant === null || pause.length === 0 ? [] : line('pause', pause.join('; '), options)),
    ...line(
      'now',
      `${verdictWords[applied.verdict]}: ${seenAfter(applied.verdict)} after ` +
        `the ${plan.do === 'undo' ? 'undo' : 'change'}`,
      options,
    ),
    ...(plan.do === 'undo' ? [] : lossLines(result, options)),
    ...line(
      'kept',
      `${plan.do === 'undo' ? 'a copy of the original' : 'the original'} stays as ` +
        `${legibleName(applied.original)}; holdfast never deletes it`,
      options,
    ),
  ]
}

function failureLines({ failure, tenant, path }: RemedyResult, options: TextOptions): readonly string[] {
  if (failure === null) return []
  const it = tenant === null ? 'the file' : 'the tenant'
  const state = {
    untouched: `${it} was not touched`,
    active: `${it} serves again`,
    'maybe-paused': 'THE TENANT MAY STILL BE PAUSED',
    unknown: `the state of ${it} was not checked since`,
  }[failure.tenantState]
  return [
    ...line('failed', `${failure.code}: ${legibleSentence(failure.message, [path])}`, options),
    ...line('state', state, options),
    ...line('hint', legibleSentence(failure.hint, [path]), options),
  ]
}

function commandLines(result: RemedyResult, state: RemedyState, options: TextOptions): readonly string[] {
  const { plan } = result
  const { bold } = createColors(options.color)
  const command = (label: string, text: string, loud: boolean): readonly string[] => {
    const shown = legibleCommand(withConfiguration(text, options.config ?? null))
    return [`  ${label}`, `    ${loud ? bold(shown) : shown}`]
  }
  if (isMaybePaused(result)) return command('next', 'holdfast resume --all', true)
  const finished = state === 'applied' || state === 'undone'
  const explained = result.failure === null ? null : `holdfast explain ${result.failure.code}`
  const next = finished && result.failure === null ? null : (plan.command ?? explained)
  // Of rows that cannot be read, the least number is known that does not come back.
  const mayLose = ({ lost, changed, unreadable }: TableLoss): boolean =>
    [lost, changed, unreadable].some((rows) => rows !== 0)
  const loses = plan.do === 'restore' && plan.losses.some(mayLose)
  const mergeable = state === 'ready' && loses && plan.command !== null && !plan.command.includes(' --merge-newer')
  return [
    ...(mergeable
      ? command(
          'to keep newer rows that are readable',
          (plan.command ?? '').replace(/ --apply$/, ' --merge-newer'),
          false,
        )
      : []),
    ...(plan.undo === null || state === 'failed' || state === 'undone' || state === 'ask'
      ? []
      : command(state === 'applied' ? 'undo' : 'undo afterwards', plan.undo, false)),
    ...(next === null ? [] : command('next', next, true)),
  ]
}
