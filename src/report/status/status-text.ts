import { createColors } from 'picocolors'
import { ageOf } from '../../model/age.ts'
import { count, groupDigits } from '../../text/count.ts'
import { wrapIndented, wrap } from '../../text/layout.ts'
import { renderTable } from '../../text/table.ts'
import { humanMs } from '../../text/units.ts'
import { whatPinnedProves } from '../describe-pinned.ts'
import { legibleCommand, legibleName } from '../text/legible.ts'
import { describeOther } from '../text/other-holds.ts'
import { restsOnPin, isStale, decisiveCheckOf, lastVerdictOf, type StatusJudgement } from './status-judgement.ts'
import { nextCommands } from './status-next.ts'
import { filesIn, type StatusOptions, type StatusView, type TenantSummary } from './status-view.ts'

/** More sound and fresh tenants than this are counted instead of listed. */
const soundListedMax = 20

export function renderStatusText(view: StatusView, judgement: StatusJudgement, options: StatusOptions): string {
  const colors = createColors(options.color)
  const { generatedAt: now, maxAgeMs, tenants } = view
  const isQuiet = (one: TenantSummary): boolean => lastVerdictOf(one) === 'sound' && !isStale(one, view)
  const quiet = tenants.filter(isQuiet)
  const { fresh = 0, stale = 0 } = view.others ?? {}
  const folded = quiet.length + fresh > soundListedMax && !options.verbose
  const listed = folded ? tenants.filter((one) => !isQuiet(one)) : tenants
  const hiddenPinned = judgement.pinned - listed.filter(restsOnPin).length
  const commands = nextCommands(view, judgement)
  // A reason below says the same in other words.
  const isReason = judgement.reasons.some((reason) => /^STALE (?:never run|(?:no|last) full sweep)/.test(reason))
  const sweep = isReason
    ? ''
    : `, ${view.lastFullSweepAt === null ? 'no full sweep yet' : `last full sweep ${ago(view.lastFullSweepAt, now)}`}`
  const paint = (text: string): string =>
    judgement.code === 0
      ? colors.green(text)
      : judgement.code === 2
        ? colors.bold(colors.red(text))
        : colors.yellow(text)
  return `${[
    ...wrap(
      `${judgement.word}: ${legibleName(view.service)}, ` +
        `${count(filesIn(view), view.selection === null ? 'tenant' : 'selected tenant')}, ` +
        `${judgement.counts.sound} sound${sweep}`,
      options.width,
    ).map(paint),
    ...judgement.reasons.flatMap((reason) => wrapIndented(reason, options)),
    ...view.otherHolds.flatMap((hold) => wrapIndented(describeOther(hold, view.config, now).said, options)),
    ...(listed.length === 0 ? [] : ['', ...tableOf(listed, view, options)]),
    ...(stale > 0
      ? wrap(`and ${count(stale, 'tenant')} sound and not fully checked within ${humanMs(maxAgeMs)}`, options.width)
      : []),
    ...(folded
      ? wrap(
          `${listed.length === 0 ? '' : 'and '}${count(quiet.length + fresh, 'tenant')} sound and checked within ` +
            humanMs(maxAgeMs),
          options.width,
        )
      : []),
    ...(hiddenPinned === 0 ? [] : wrap(`${groupDigits(hiddenPinned)} of these at level pinned`, options.width)),
    ...(judgement.pinned === 0 ? [] : wrap(whatPinnedProves, options.width)),
    ...(commands.length === 0 ? [] : ['', 'next', ...commands.map((command) => `    ${legibleCommand(command)}`)]),
    ...(judgement.code === 0 ? [] : wrap(exitLine(judgement), options.width)),
  ].join('\n')}\n`
}

const exitLine = ({ code, word }: StatusJudgement): string =>
  `Exit code 0: answered. With --format nagios or monit it is ${code}: ${word}.`

const words = { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' } as const

/** A row for each file with the check that its verdict rests on; below it what else must be known of the file. */
function tableOf(listed: readonly TenantSummary[], view: StatusView, options: StatusOptions): readonly string[] {
  const colors = createColors(options.color)
  const columns = [
    { head: 'TENANT', align: 'left' },
    { head: 'VERDICT', align: 'left' },
    { head: 'DAMAGE', align: 'left' },
    { head: 'PROOF', align: 'left' },
    { head: 'DEPTH', align: 'left' },
    { head: 'CHECKED', align: 'right' },
    { head: 'PAUSE', align: 'right' },
  ] as const
  const rows = listed.map((one) => {
    const name = legibleName(one.tenant ?? one.path)
    const check = decisiveCheckOf(one)
    if (check === null) return [name, 'never', '-', '-', '-', 'never', '-']
    return [
      name,
      words[check.verdict],
      check.damage === 'none' ? '-' : check.damage,
      check.level,
      check.depth,
      ago(check.at, view.generatedAt),
      humanMs(check.pauseMs),
    ]
  })
  const [head = '', ...lines] = renderTable(columns, rows, {
    ...options,
    paint: (cell, column) => (column === 1 && cell === 'DAMAGED' ? colors.bold(colors.red(cell)) : cell),
  })
  return [
    head,
    ...listed.flatMap((one, row) => [
      lines[row] ?? '',
      ...besides(one, view).flatMap((text) => wrapIndented(text, options)),
    ]),
  ]
}

/**
 * What the row does not say: that the newest check settled nothing, while damage stands or the last full check is too
 * old.
 */
function besides(one: TenantSummary, view: StatusView): readonly string[] {
  const { settled, verdict, checkedAt, failure } = one
  if (verdict === null || checkedAt === null || checkedAt === settled?.at) return []
  if (lastVerdictOf(one) === 'damaged') {
    const came = {
      sound: 'was quick and cannot clear it',
      damaged: 'found damage too',
      inconclusive: 'was inconclusive',
      failed: 'failed',
    }[verdict]
    return [
      `still damaged: the newest check, ${ago(checkedAt, view.generatedAt)}, ` +
        `${came}${failure === null ? '' : ` (${failure})`}`,
    ]
  }
  if (!isStale(one, view)) return []
  return [settled === null ? 'never fully checked' : `last fully checked ${ago(settled.at, view.generatedAt)}`]
}

function ago(at: number, now: number): string {
  const age = ageOf(at, now)
  return age === null ? `${humanMs(at - now)} ahead of the clock` : `${humanMs(age)} ago`
}
