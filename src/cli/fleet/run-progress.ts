/** Progress of a run of the fleet on stderr: one live line on a terminal, else a line every half minute. */
import type { FleetRunFacts } from '../../fleet/coordinator/runs/read-run.ts'
import { monotonicMs } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import { fleetRunCounts } from '../../report/fleet/run/fleet-run.ts'
import { count } from '../../text/count.ts'
import { cutMiddle } from '../../text/layout.ts'
import { showsAsciiOnly } from '../../text/letters.ts'
import { printableSentence } from '../../text/printable.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface FleetProgressLine extends Disposable {
  update(seen: FleetRunFacts | Failure): void
}

const lineEveryMs = 30_000
/** A coordinator shows itself every ten seconds. */
const coordinatorMissedMs = 60_000

export async function showFleetProgress(terminal: Terminal, quiet: boolean): Promise<FleetProgressLine> {
  if (quiet) return { update: () => undefined, [Symbol.dispose]: () => undefined }
  return terminal.aside.drawsLines ? liveLine(terminal) : plainLines(terminal)
}

async function liveLine({ aside }: Terminal): Promise<FleetProgressLine> {
  const { default: ora } = await import('ora')
  // ora must not read the keyboard: Ctrl-C has to reach us as a signal.
  const spinner = ora({
    stream: process.stderr,
    discardStdin: false,
    text: 'starting',
    color: aside.color ? 'cyan' : false,
    ...(showsAsciiOnly() ? { spinner: 'line' } : {}),
  }).start()
  return {
    update: (seen) => {
      spinner.text = cutMiddle(describeProgress(seen), Math.min(process.stderr.columns, aside.width) - 3)
    },
    [Symbol.dispose]: () => void spinner.stop(),
  }
}

function plainLines(terminal: Terminal): FleetProgressLine {
  let saidAtMs = monotonicMs()
  return {
    update: (seen) => {
      if (monotonicMs() - saidAtMs < lineEveryMs) return
      terminal.say(describeProgress(seen))
      saidAtMs = monotonicMs()
    },
    [Symbol.dispose]: () => undefined,
  }
}

function describeProgress(seen: FleetRunFacts | Failure): string {
  if (seen instanceof Failure) return printableSentence(`the database of the fleet does not answer: ${seen.message}`)
  const { kind, hostsLeft, coordinatorSeenMs, stopped } = seen
  const left = hostsLeft > 0 ? [`${count(hostsLeft, 'host')} left`] : []
  const missed =
    coordinatorSeenMs === null || coordinatorSeenMs > coordinatorMissedMs
      ? ['no coordinator works: start one with `holdfast coordinator`']
      : []
  const breaker = stopped === null ? [] : [`pauses are stopped: ${printableSentence(stopped)}`]
  return [`${kind}: ${fleetRunCounts(seen)}`, ...left, ...breaker, ...missed].join('; ')
}
