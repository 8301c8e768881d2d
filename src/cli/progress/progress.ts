/** Progress on stderr: live lines on a terminal, else a line every half minute; nothing with `--quiet`. */

import { monotonicMs } from '../../host/clock.ts'
import type { RunProgress } from '../../runs/progress-tracker.ts'
import { showsAsciiOnly } from '../../text/letters.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { describeRun, ProgressText } from './progress-text.ts'

export interface ProgressLine extends Disposable {
  update(progress: RunProgress): void
}

const lineEveryMs = 30_000
/** As often as a person can follow. More frequent updates draw nothing. */
const drawEveryMs = 100

/** Loads the library that draws on a terminal only if there is a terminal. */
export async function showProgress(terminal: Terminal, quiet: boolean): Promise<ProgressLine> {
  if (quiet) return { update: () => undefined, [Symbol.dispose]: () => undefined }
  const startedAtMs = monotonicMs()
  return terminal.aside.drawsLines ? liveLines(terminal, startedAtMs) : plainLines(terminal, startedAtMs)
}

async function liveLines({ aside }: Terminal, startedAtMs: number): Promise<ProgressLine> {
  const { default: ora } = await import('ora')
  // ora must not read the keyboard: Ctrl-C has to reach us as a signal.
  const spinner = ora({
    stream: process.stderr,
    discardStdin: false,
    interval: drawEveryMs,
    text: 'starting',
    color: aside.color ? 'cyan' : false,
    ...(showsAsciiOnly() ? { spinner: 'line' } : {}),
  }).start()
  const text = new ProgressText(startedAtMs)
  let latest: RunProgress | null = null
  const drawing = setInterval(() => {
    // The spinner needs two columns, and some terminals break a line in their last column.
    if (latest !== null && spinner.isSpinning)
      spinner.text = text.lines(latest, monotonicMs(), Math.min(process.stderr.columns, aside.width) - 3).join('\n')
  }, drawEveryMs)
  const stopWithoutColumns = (): void => {
    if (process.stderr.columns <= 0) spinner.stop()
  }
  process.stderr.on('resize', stopWithoutColumns)
  return {
    update: (progress) => {
      latest = progress
    },
    [Symbol.dispose]: () => {
      clearInterval(drawing)
      process.stderr.off('resize', stopWithoutColumns)
      if (spinner.isSpinning) spinner.stop()
    },
  }
}

/** A line each half minute, also while nothing moves on: the reader sees what the run waits for. */
function plainLines(terminal: Terminal, startedAtMs: number): ProgressLine {
  let latest: RunProgress | null = null
  const printing = setInterval(() => {
    const nowMs = monotonicMs()
    if (latest !== null) terminal.say(describeRun(latest, nowMs - startedAtMs, nowMs))
  }, lineEveryMs)
  printing.unref()
  return {
    update: (progress) => {
      latest = progress
    },
    [Symbol.dispose]: () => clearInterval(printing),
  }
}
