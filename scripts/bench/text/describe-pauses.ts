/** The figures of pauses as text. */
import type { PauseFigures, TenantFigures } from '../pause.ts'
import { formatBytes, formatMs, formatTable } from '../units.ts'

export function describePauses({ perSecond, tenants, notMeasured }: PauseFigures): string {
  return [
    `Pauses under ${perSecond} transactions a second, by the service's clock (heldMs)`,
    formatTable([
      ['tenant', 'holds', 'p50', 'p99', 'max', 'predicted', 'held/predicted', 'tail', 'warm copy', 'copied by'],
      ...tenants.map((figures) => [
        nameOf(figures),
        String(figures.heldMs.count),
        formatMs(figures.heldMs.p50),
        formatMs(figures.heldMs.p99),
        formatMs(figures.heldMs.max),
        formatMs(figures.predictedMs.p50),
        Number.isNaN(figures.heldByPredicted.p50)
          ? '-'
          : `${figures.heldByPredicted.p50.toFixed(2)} to ${figures.heldByPredicted.max.toFixed(2)}`,
        formatBytes(figures.tailBytes.p50 || 0),
        formatMs(figures.warmMs.p50),
        figures.method,
      ]),
    ]),
    '',
    'How long a transaction took, from due to committed: alone, beside holdfast, and beside other copies of the files',
    formatTable([['tenant', 'by', 'takes', 'transactions', 'p50', 'p99', 'longest'], ...tenants.flatMap(rowsOf)]),
    '',
    'Where the time of a hold goes (median, longest)',
    formatTable([['step', ...tenants.map(nameOf)], ...stepRows(tenants)]),
    ...tenants.flatMap((figures) => figures.failures.map((failure) => `${nameOf(figures)}: a hold failed: ${failure}`)),
    ...notMeasured.map((what) => `not measured: ${what}`),
  ].join('\n')
}

const nameOf = ({ kind, bytes }: TenantFigures): string => `${kind} ${formatBytes(bytes)}`

function rowsOf(figures: TenantFigures): string[][] {
  const { transactionsBefore: before, transactionsDuring: during, alternatives, pauseMs, warmMs } = figures
  return [
    [
      nameOf(figures),
      'idle',
      '-',
      String(before.count),
      formatMs(before.p50),
      formatMs(before.p99),
      formatMs(before.max),
    ],
    [
      nameOf(figures),
      'holdfast',
      formatMs(pauseMs.p50 + (warmMs.p50 || 0)),
      String(during.count),
      formatMs(during.p50),
      formatMs(during.p99),
      formatMs(during.max),
    ],
    ...alternatives.map(({ name, outcome, ms, transactions }) => [
      nameOf(figures),
      name,
      outcome === 'done' ? formatMs(ms) : `${outcome} (${formatMs(ms)})`,
      String(transactions.count),
      formatMs(transactions.p50),
      formatMs(transactions.p99),
      formatMs(transactions.max),
    ]),
  ]
}

function stepRows(tenants: readonly TenantFigures[]): string[][] {
  const names = [...new Set(tenants.flatMap(({ steps }) => steps.map(({ step }) => step)))]
  return names.map((name) => [
    name,
    ...tenants.map(({ steps }) => {
      const found = steps.find(({ step }) => step === name)
      return found ? `${formatMs(found.ms.p50)}, ${formatMs(found.ms.max)}` : '-'
    }),
  ])
}
