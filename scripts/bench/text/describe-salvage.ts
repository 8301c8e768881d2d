/** The figures of salvage and `.recover` as text. */
import type { SalvageFigures, ToolFigures, WoundFigures } from '../salvage/measure-salvage.ts'
import { formatMs, formatTable, spreadOf } from '../units.ts'

export function describeSalvageFigures({ wounds, shell, seed }: SalvageFigures): string {
  const kinds = [...Map.groupBy(wounds, ({ wound }) => wound)]
  const fewer = wounds.filter(({ salvage, recover }) => salvage.exact < recover.exact)
  const fewerInAll = wounds.filter(
    ({ salvage, recover }) => salvage.exact + salvage.elsewhere < recover.exact + recover.elsewhere,
  )
  const sum = (count: (figures: ToolFigures) => number): number =>
    wounds.reduce((all, { salvage }) => all + count(salvage), 0)
  return [
    `${wounds.length} wounds of tables (seed ${seed}), .recover of sqlite3 ${shell}.`,
    'Rows that were brought back exactly as they were, in their tables and (+) elsewhere; rows invented in the tables;',
    'true rows whose keys nothing knows, in a key range that the account lists; true rows that are nowhere at all.',
    '',
    formatTable([
      [
        '',
        'wounds',
        'true rows',
        'salvage',
        'invented',
        'in a lost range',
        'unaccounted',
        '.recover',
        'invented',
        'unaccounted',
      ],
      ...kinds.map(([kind, some]) => [kind, ...rowOf(some)]),
      ['all', ...rowOf(wounds)],
    ]),
    '',
    formatTable([
      ['', 'median', 'p99', 'longest', 'failed'],
      ...(['salvage', 'recover'] as const).map((tool) => {
        const spread = spreadOf(wounds.map((one) => one[tool].ms))
        const failed = wounds.filter((one) => one[tool].failure !== null).length
        const name = tool === 'salvage' ? 'holdfast salvage' : 'sqlite3 .recover'
        return [name, formatMs(spread.p50), formatMs(spread.p99), formatMs(spread.max), String(failed)]
      }),
    ]),
    '',
    'Wounds on which salvage brought back fewer true rows: ' +
      `${fewer.length} (in their tables), ${fewerInAll.length} (in all)`,
    `Rows that salvage invented: ${sum((one) => one.invented)}; unaccounted for: ${sum((one) => one.unaccounted)}`,
    ...[...new Set([...fewer, ...fewerInAll, ...wounds.filter(isWrong)])].slice(0, 20).map(describeWound),
  ].join('\n')
}

const isWrong = ({ salvage }: WoundFigures): boolean =>
  salvage.invented > 0 || salvage.unaccounted > 0 || salvage.failure !== null

function rowOf(some: readonly WoundFigures[]): readonly string[] {
  const sum = (count: (one: WoundFigures) => number): string => String(some.reduce((all, one) => all + count(one), 0))
  const ofTool = (tool: 'salvage' | 'recover'): readonly string[] => [
    `${sum((one) => one[tool].exact)} + ${sum((one) => one[tool].elsewhere)}`,
    sum((one) => one[tool].invented),
    ...(tool === 'salvage' ? [sum((one) => one[tool].inLostRange)] : []),
    sum((one) => one[tool].unaccounted),
  ]
  return [String(some.length), sum(({ trueRows }) => trueRows), ...ofTool('salvage'), ...ofTool('recover')]
}

function describeWound({ what, salvage, recover }: WoundFigures): string {
  const count = (one: ToolFigures): string =>
    `${one.exact} + ${one.elsewhere}, ${one.invented} invented, ${one.unaccounted} unaccounted`
  const failure = salvage.failure === null ? '' : `; failed: ${salvage.failure.split('\n', 1)[0]}`
  return `  ${what}: salvage ${count(salvage)}; .recover ${count(recover)}${failure}`
}
