/** The probe where only SHARED stands: it refuses no reader, so a second process looks for it and tries nothing. */
import type { ProbeAnswer } from '../../model/result/evidence.ts'
import { lockBytes } from '../../sqlite/lock-bytes.ts'
import type { PinTask } from './pin-task.ts'

/** @throws {Failure} as `Probe.see` */
export function probeSharedLock({ files, probe }: Pick<PinTask, 'files' | 'probe'>): Promise<ProbeAnswer> {
  const { dev, ino } = files.stat('')
  return probe.see({ path: files.path, dev, ino, kind: 'read', range: lockBytes.shared })
}
