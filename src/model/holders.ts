/** The processes that have files of a live set, each listed once. */

import type { Holder } from './result/evidence.ts'

export interface HoldingProcess {
  readonly pid: number
  readonly command: string
  /** For all its files together. */
  readonly modes: Holder['modes']
  readonly paths: readonly string[]
}

const order: Holder['modes'] = ['read', 'write', 'mapped', 'lock', 'lease']

/** @param holders one for each process and file */
export function holdingProcesses(holders: readonly Holder[]): readonly HoldingProcess[] {
  return [...Map.groupBy(holders, ({ pid }) => pid)].map(([pid, ofOne]) => {
    const modes = new Set(ofOne.flatMap((holder) => holder.modes))
    return {
      pid,
      command: ofOne[0]?.command ?? '?',
      modes: order.filter((mode) => modes.has(mode)),
      paths: [...new Set(ofOne.map(({ path }) => path))],
    }
  })
}

/** `process 7 (node app.js)` */
export const nameProcess = ({ pid, command }: Pick<Holder, 'pid' | 'command'>): string => `process ${pid} (${command})`
