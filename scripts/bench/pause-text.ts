/** Figures of pauses, for a person. */
import type { PauseFigures, TenantFigures } from './pause.ts'
import { bytesText, msText, tableText } from './units.ts'

export function describePauses({ perSecond, tenants, leftOut }: PauseFigures): string {
  return [
    `Pauses under ${perSecond} transactions a second, by the service's clock (heldMs)`,
    tableText([
      ['tenant', 'holds', 'p50', 'p99', 'max', 'predicted', 'held/predicted', 'tail', 'warm copy', 'copied by'],
      ...tenants.map((figures) => [
        nameOf(figures),
        String(figures.heldMs.count),
        msText(figures.heldMs.p50),
        msText(figures.heldMs.p99),
        msText(figures.heldMs.max),
        msText(figures.predictedMs.p50),
        Number.isNaN(figures.heldByPredicted.p50)
          ? '-'
          : `${figures.heldByPredicted.p50.toFixed(2)} to ${figures.heldByPredicted.max.toFixed(2)}`,
        bytesText(figures.tailBytes.p50 || 0),
        msText(figures.warmMs.p50),
        figures.method,
      ]),
    ]),
    '',
    'How long a transaction took, from due to committed; and the same files by other means, in the same run',
    tableText([['tenant', 'by', 'takes', 'transactions', 'p50', 'p99', 'longest'], ...tenants.flatMap(rowsOf)]),
    '',
    'Where the time of a hold goes (median, longest)',
    tableText([['step', ...tenants.map(nameOf)], ...stepRows(tenants)]),
    ...tenants.flatMap((figures) => figures.failures.map((failure) => `${nameOf(figures)}: a hold failed: ${failure}`)),
    ...leftOut.map((what) => `left out: ${what}`),
  ].join('\n')
}

const nameOf = ({ kind, bytes }: TenantFigures): string => `${kind} ${bytesText(bytes)}`

function rowsOf(figures: TenantFigures): string[][] {
  const { transactionsBefore: before, transactionsDuring: during, rivals, pauseMs, warmMs } = figures
  return [
    [nameOf(figures), 'nobody', '-', String(before.count), msText(before.p50), msText(before.p99), msText(before.max)],
    [
      nameOf(figures),
      'holdfast',
      msText(pauseMs.p50 + (warmMs.p50 || 0)),
      String(during.count),
      msText(during.p50),
      msText(during.p99),
      msText(during.max),
    ],
    ...rivals.map(({ name, outcome, ms, transactions }) => [
      nameOf(figures),
      name,
      outcome === 'done' ? msText(ms) : `${outcome} (${msText(ms)})`,
      String(transactions.count),
      msText(transactions.p50),
      msText(transactions.p99),
      msText(transactions.max),
    ]),
  ]
}

function stepRows(tenants: readonly TenantFigures[]): string[][] {
  const names = [...new Set(tenants.flatMap(({ steps }) => steps.map(({ step }) => step)))]
  return names.map((name) => [
    name,
    ...tenants.map(({ steps }) => {
      const found = steps.find(({ step }) => step === name)
      return found ? `${msText(found.ms.p50)}, ${msText(found.ms.max)}` : '-'
    }),
  ])
}
