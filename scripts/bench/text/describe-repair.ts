/** The figures of remedies as text. */
import type { RepairFigures } from '../repair/measure-repair.ts'
import { formatBytes, formatMs, formatTable, spreadOf } from '../units.ts'

export function describeRepair({ bytes, rebuild, backups, swaps }: RepairFigures): string {
  const fastest = (times: readonly number[]): number => Math.min(...times)
  const timeRow = (name: string, times: readonly number[], other: readonly number[]): readonly string[] => [
    name,
    formatMs(fastest(times)),
    formatMs(spreadOf(times).p50),
    (fastest(times) / fastest(other)).toFixed(2),
  ]
  const rate = (times: readonly number[]): string => `${Math.round(backups.bytes / 1e3 / fastest(times))} MB/s`
  const { servicePauses, reportedPauses, snapshotPauses, repairMs } = swaps
  return [
    `Rebuilding three indexes of a database of ${formatBytes(bytes)}, in turn`,
    formatTable([
      ['', 'fastest', 'median', 'by REINDEX'],
      timeRow('rebuild in a confined process', rebuild.mendMs, rebuild.shellMs),
      timeRow("REINDEX by sqlite3's shell", rebuild.shellMs, rebuild.shellMs),
      timeRow('whole rehearsal, both checks and all contents', rebuild.rehearsalMs, rebuild.shellMs),
    ]),
    '',
    'A backup of it, sound, in turn',
    formatTable([
      ['', 'fastest', 'rate', 'stored', 'ratio'],
      ['backups add, with hold and full check', formatMs(fastest(backups.addMs)), rate(backups.addMs), '', ''],
      [
        'keeping alone, read back',
        formatMs(fastest(backups.keepMs)),
        rate(backups.keepMs),
        formatBytes(backups.storedBytes),
        (backups.bytes / backups.storedBytes).toFixed(2),
      ],
      [
        'sqlite3 .backup, zstd -3',
        formatMs(fastest(backups.shellMs)),
        rate(backups.shellMs),
        formatBytes(backups.shellBytes),
        (backups.bytes / backups.shellBytes).toFixed(2),
      ],
    ]),
    '',
    'Pauses of a tenant of this size that no program wrote to, repair --apply and --undo in turn',
    formatTable([
      ['', 'pauses', 'p50', 'p99', 'longest'],
      ...(
        [
          ['changes, by the service', servicePauses],
          ['changes, as reported', reportedPauses],
          ['snapshots, by the service', snapshotPauses],
          ['whole repair --apply', repairMs],
        ] as const
      ).map(([name, { count, p50, p99, max }]) => [name, String(count), formatMs(p50), formatMs(p99), formatMs(max)]),
    ]),
    '(the aim for changes: p99 below 100 ms)',
  ].join('\n')
}
