/** Progress on stderr: a live line on a terminal, else a line every half minute; nothing when quiet. */
import ora from 'ora'
import { monotonicMs } from '../host/clock.ts'
import type { Progress } from '../fleet/pipeline.ts'
import { printable } from '../report/printable.ts'
import type { Face } from './face.ts'

export interface ProgressLine extends Disposable {
  update(progress: Progress): void
}

const lineEveryMs = 30_000

export function showProgress(face: Face, quiet: boolean): ProgressLine {
  if (quiet) return { update: () => undefined, [Symbol.dispose]: () => undefined }
  const startedAtMs = monotonicMs()
  return face.stderrIsTty && hasColumns() ? liveLine(startedAtMs) : plainLines(face, startedAtMs)
}

/** A terminal whose size nobody set (serial lines, `docker run -t`, script(1)) says 0: there ora would clear lines for ever, whoever stands still meanwhile. */
const hasColumns = (): boolean => process.stderr.columns > 0

function liveLine(startedAtMs: number): ProgressLine {
  // Signals stay ours: ora must not swallow the keyboard.
  const spinner = ora({ stream: process.stderr, discardStdin: false, text: 'starting', color: (process.env['NO_COLOR'] ?? '') === '' ? 'cyan' : false }).start()
  const stopWithoutColumns = (): void => {
    if (!hasColumns()) spinner.stop()
  }
  process.stderr.on('resize', stopWithoutColumns)
  return {
    update: (progress) => {
      if (spinner.isSpinning) spinner.text = describe(progress, startedAtMs)
    },
    [Symbol.dispose]: () => {
      process.stderr.off('resize', stopWithoutColumns)
      if (spinner.isSpinning) spinner.stop()
    },
  }
}

function plainLines(face: Face, startedAtMs: number): ProgressLine {
  let saidAtMs = startedAtMs
  return {
    update: (progress) => {
      if (monotonicMs() - saidAtMs < lineEveryMs) return
      saidAtMs = monotonicMs()
      face.say(describe(progress, startedAtMs))
    },
    [Symbol.dispose]: () => undefined,
  }
}

/** `412 of 1000, 38 a second, 15 s left; holding acme; checking bolt, core` */
export function describe({ done, total, holding, checking }: Progress, startedAtMs: number): string {
  const seconds = (monotonicMs() - startedAtMs) / 1000
  const rate = done / Math.max(seconds, 0.001)
  const left = done > 0 && done < total ? `, ${Math.ceil((total - done) / rate)} s left` : ''
  const speed = done > 0 ? `, ${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} a second` : ''
  return `${done} of ${total}${speed}${left}${naming('holding', holding)}${naming('checking', checking)}`
}

const namesMax = 3
const naming = (verb: string, names: readonly string[]): string => {
  if (names.length === 0) return ''
  const more = names.length > namesMax ? ` and ${names.length - namesMax} more` : ''
  return `; ${verb} ${names.slice(0, namesMax).map((name) => printable(name)).join(', ')}${more}`
}
