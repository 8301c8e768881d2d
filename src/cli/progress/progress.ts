import type { RunProgress } from '../../fleet/progress-tracker.ts'
/** Progress on stderr: live lines on a terminal, else a line every half minute; nothing when quiet. */
import { monotonicMs } from '../../host/clock.ts'
import { showsAsciiOnly } from '../../text/letters.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { describeRun, ProgressText } from './progress-text.ts'

export interface ProgressLine extends Disposable {
  update(progress: RunProgress): void
}

const lineEveryMs = 30_000
/** As often as a person can follow. Nothing is drawn in between, however often there is news. */
const drawEveryMs = 100

/** What draws on a terminal is loaded only where there is one. */
export async function showProgress(terminal: Terminal, quiet: boolean): Promise<ProgressLine> {
  if (quiet) return { update: () => undefined, [Symbol.dispose]: () => undefined }
  const startedAtMs = monotonicMs()
  return terminal.aside.drawsLines ? liveLines(terminal, startedAtMs) : plainLines(terminal, startedAtMs)
}

async function liveLines({ aside }: Terminal, startedAtMs: number): Promise<ProgressLine> {
  const { default: ora } = await import('ora')
  // Signals stay ours: ora must not swallow the keyboard.
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
    // Two columns are the spinner's; in the last one some terminals break the line.
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

function plainLines(terminal: Terminal, startedAtMs: number): ProgressLine {
  let saidAtMs = startedAtMs
  return {
    update: (progress) => {
      const nowMs = monotonicMs()
      if (nowMs - saidAtMs < lineEveryMs) return
      saidAtMs = nowMs
      terminal.say(describeRun(progress, nowMs - startedAtMs))
    },
    [Symbol.dispose]: () => undefined,
  }
}
