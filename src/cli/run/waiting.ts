/** `--wait`: what a person sees of it. */
import type { RunWait } from '../../ledger/run-lock/wait-for-run.ts'
import { printableSentence } from '../../text/printable.ts'
import { humanMs } from '../../text/units.ts'
import type { CommonOptions } from '../options.ts'
import { timeLeft } from '../progress/rate.ts'
import type { Terminal } from '../terminal/terminal.ts'

export type WaitOptions = Pick<CommonOptions, 'quiet'> & { readonly wait?: number }

interface Spinner {
  text: string
  stop(): unknown
}

/** null where it was not asked for. */
export function waitingOf(face: Terminal, { wait, quiet }: WaitOptions): RunWait | null {
  if (wait === undefined) return null
  let isTold = false
  let spinner: Spinner | null = null
  const onEnd = (): void => {
    spinner?.stop()
    spinner = null
  }
  const onWait: RunWait['onWait'] = async (other, leftMs) => {
    if (quiet) return
    if (!isTold) face.say(`waiting for it to end, at most ${humanMs(wait)}: ${printableSentence(other.message)}`)
    isTold = true
    spinner ??= drawsLines() ? await startSpinner() : null
    if (spinner !== null) spinner.text = `waiting for the other run to end, ${timeLeft(leftMs)}`
  }
  return { ms: wait, signal: face.interrupt.signal, onWait, onEnd }
}

/** A terminal whose size nobody set says 0: there a spinner would clear lines for ever. */
const drawsLines = (): boolean => process.stderr.isTTY && process.stderr.columns > 0 && process.env['TERM'] !== 'dumb'

async function startSpinner(): Promise<Spinner> {
  const { default: ora } = await import('ora')
  // Signals stay ours: ora must not swallow the keyboard.
  return ora({ stream: process.stderr, discardStdin: false, spinner: 'line', color: false }).start()
}
