/** `--wait`: what a person sees while holdfast waits for another run to end. */
import type { RunWait } from '../../ledger/run-lock/wait-for-run.ts'
import { printableSentence } from '../../text/printable.ts'
import { humanMs } from '../../text/units.ts'
import type { CommonOptions } from '../options.ts'
import { timeLeft } from '../progress/rate.ts'
import { drawsLines } from '../terminal/terminal-features.ts'
import type { Terminal } from '../terminal/terminal.ts'

export type WaitOptions = Pick<CommonOptions, 'quiet'> & { readonly wait?: number }

interface Spinner {
  text: string
  stop(): unknown
}

/** null without `--wait`. */
export function runWaitOf(terminal: Terminal, { wait, quiet }: WaitOptions): RunWait | null {
  if (wait === undefined) return null
  let isReported = false
  let spinner: Spinner | null = null
  const onEnd = (): void => {
    spinner?.stop()
    spinner = null
  }
  const onWait: RunWait['onWait'] = async (other, leftMs) => {
    if (quiet) return
    if (!isReported)
      terminal.say(`waiting for it to end, at most ${humanMs(wait)}: ${printableSentence(other.message)}`)
    isReported = true
    spinner ??= drawsLines(process.stderr, process.env) ? await startSpinner() : null
    if (spinner !== null) spinner.text = `waiting for the other run to end, ${timeLeft(leftMs)}`
  }
  return { ms: wait, signal: terminal.interrupt.signal, onWait, onEnd }
}

async function startSpinner(): Promise<Spinner> {
  const { default: ora } = await import('ora')
  // ora must not read the keyboard: Ctrl-C has to reach us as a signal.
  return ora({ stream: process.stderr, discardStdin: false, spinner: 'line', color: false }).start()
}
