import { createColors } from 'picocolors'
import { target } from '../diagnosis/command.ts'
import { tenantId } from '../model/brand.ts'
import { wrap } from './layout.ts'
import { printable } from './printable.ts'
import type { StatusOptions, StatusView, TenantStatus } from './status.ts'
import type { StatusJudgement } from './status-judgement.ts'
import { renderTable } from './table.ts'
import { count, humanMs } from './units.ts'

/** More sound and fresh tenants than this are counted instead of listed. */
const soundListedMax = 20

export function renderStatusText(view: StatusView, judgement: StatusJudgement, options: StatusOptions): string {
  const colors = createColors(options.color)
  const { generatedAt: now, maxAgeMs, tenants } = view
  const isQuiet = ({ verdict, checkedAt }: TenantStatus): boolean => verdict === 'sound' && checkedAt !== null && now - checkedAt <= maxAgeMs
  const quiet = tenants.filter(isQuiet)
  const folded = quiet.length > soundListedMax && !options.verbose
  const listed = folded ? tenants.filter((one) => !isQuiet(one)) : tenants
  const columns = [
    { head: 'TENANT', align: 'left' }, { head: 'VERDICT', align: 'left' }, { head: 'DAMAGE', align: 'left' }, { head: 'PROOF', align: 'left' }, { head: 'DEPTH', align: 'left' },
    { head: 'CHECKED', align: 'right' }, { head: 'PAUSE', align: 'right' },
  ] as const
  const words = { sound: 'sound', damaged: 'DAMAGED', inconclusive: 'inconclusive', failed: 'FAILED' } as const
  const rows = listed.map((one) => [
    printable(one.tenant ?? one.path), one.verdict === null ? 'never' : words[one.verdict], one.damage === 'none' ? '-' : one.damage, one.verdict === null ? '-' : one.level, one.verdict === null ? '-' : one.depth,
    one.checkedAt === null ? 'never' : `${humanMs(Math.max(0, now - one.checkedAt))} ago`, humanMs(one.pauseMs),
  ])
  const commands = [
    ...(judgement.overdueHolds > 0 ? ['    holdfast resume --all'] : []),
    ...tenants.filter(({ verdict }) => verdict === 'damaged').slice(0, 5).map(({ tenant, path }) => `    holdfast check ${target(tenant === null ? null : tenantId(tenant), path)}`),
    ...(judgement.overdueHolds === 0 && judgement.counts.damaged === 0 && judgement.code !== 0 ? ['    holdfast sweep'] : []),
  ]
  const sweep = view.lastFullSweepAt === null ? 'no full sweep yet' : `last full sweep ${humanMs(Math.max(0, now - view.lastFullSweepAt))} ago`
  const paint = (text: string): string => (judgement.code === 0 ? colors.green(text) : judgement.code === 2 ? colors.bold(colors.red(text)) : colors.yellow(text))
  return `${[
    ...wrap(`${judgement.word}: ${printable(view.service)}, ${count(tenants.length, 'tenant')}, ${judgement.counts.sound} sound, ${sweep}`, options.width).map(paint),
    ...judgement.reasons.flatMap((reason) => wrap(reason, options.width - 2).map((line) => `  ${line}`)),
    ...(rows.length === 0 ? [] : ['', ...renderTable(columns, rows, { width: options.width, paint: (cell, column) => (column === 1 && cell === 'DAMAGED' ? colors.bold(colors.red(cell)) : cell) })]),
    ...(folded ? [`${rows.length === 0 ? '' : 'and '}${count(quiet.length, 'tenant')} sound and checked within ${humanMs(maxAgeMs)}`] : []),
    ...(commands.length === 0 ? [] : ['', 'next', ...commands]),
  ].join('\n')}\n`
}
