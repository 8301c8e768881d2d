/** Progress on stderr: live lines on a terminal, else a line every half minute; nothing when quiet. */
import { monotonicMs } from '../host/clock.ts'
import type { Progress } from '../fleet/pipeline.ts'
import type { Face } from './face.ts'
import { describeRun, ProgressText } from './progress-text.ts'

export interface ProgressLine extends Disposable {
  update(progress: Progress): void
}

const lineEveryMs = 30_000
/** As often as a person can follow. Nothing is drawn in between, however often there is news. */
const drawEveryMs = 100

/** What draws on a terminal is loaded only where there is one. */
export async function showProgress(face: Face, quiet: boolean): Promise<ProgressLine> {
  if (quiet) return { update: () => undefined, [Symbol.dispose]: () => undefined }
  const startedAtMs = monotonicMs()
  return face.stderrIsTty && hasColumns() ? liveLines(startedAtMs) : plainLines(face, startedAtMs)
}

/** A terminal whose size nobody set (serial lines, `docker run -t`, script(1)) says 0: there ora would clear lines for ever, whoever stands still meanwhile. */
const hasColumns = (): boolean => process.stderr.columns > 0

async function liveLines(startedAtMs: number): Promise<ProgressLine> {
  const { default: ora } = await import('ora')
  // Signals stay ours: ora must not swallow the keyboard.
  const spinner = ora({ stream: process.stderr, discardStdin: false, interval: drawEveryMs, text: 'starting', color: (process.env['NO_COLOR'] ?? '') === '' ? 'cyan' : false }).start()
  const text = new ProgressText(startedAtMs)
  let latest: Progress | null = null
  const drawing = setInterval(() => {
    // Two columns are the spinner's; in the last one some terminals break the line.
    if (latest !== null && spinner.isSpinning) spinner.text = text.lines(latest, monotonicMs(), process.stderr.columns - 3).join('\n')
  }, drawEveryMs)
  const stopWithoutColumns = (): void => {
    if (!hasColumns()) spinner.stop()
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

function plainLines(face: Face, startedAtMs: number): ProgressLine {
  let saidAtMs = startedAtMs
  return {
    update: (progress) => {
      const nowMs = monotonicMs()
      if (nowMs - saidAtMs < lineEveryMs) return
      saidAtMs = nowMs
      face.say(describeRun(progress, nowMs - startedAtMs))
    },
    [Symbol.dispose]: () => undefined,
  }
}
