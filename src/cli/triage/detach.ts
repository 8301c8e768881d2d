/** `triage --detach`: records the request, starts the triage in a session of its own, and returns immediately. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import { acceptRequest } from '../../ledger/background/requests.ts'
import { standingHarm } from '../../ledger/incident.ts'
import { readLedger } from '../../ledger/open-ledger.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import { runAtWork } from '../../ledger/run-lock/run-liveness.ts'
import type { TriageRequest } from '../../model/event.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure, signsOfHarm } from '../../model/failure.ts'
import { jsonText } from '../../text/json-text.ts'
import { printable, printableSentence } from '../../text/printable.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { withoutMonit } from './monit.ts'

export interface DetachTerms {
  readonly monit: TriageRequest['monit']
  /** What the caller is told apart by, if it is a program that may ask again and again; null for a person. */
  readonly monitor: string | null
  /** True if the triage may wait for another run. */
  readonly waits: boolean
  /** The words of the command line behind `triage` that the background process needs. */
  readonly words: readonly string[]
  readonly json: boolean
  readonly quiet: boolean
}

/** @throws {Failure} RUN_ACTIVE, TOO_SOON, LEDGER_UNUSABLE; HARM_SUSPECTED for a program that asks */
export async function detach(settings: Settings, terms: DetachTerms, terminal: Terminal): Promise<ExitCode> {
  const { dir } = settings.ledger
  const other = terms.waits ? null : await runAtWork(dir, settings.service.name)
  if (other !== null)
    throw new Failure('RUN_ACTIVE', `another run works on this service: pid ${other.pid}${commandOf(other)}`)
  if (terms.monitor !== null) await requireNoHarm(settings)
  const request: TriageRequest = { id: newRunId(), by: terms.monit === null ? 'command' : 'monit', monit: terms.monit }
  using accepted = await acceptRequest(dir, request, { monitor: terms.monitor, now: Date.now() })
  const pid = await startBehind([...terms.words, '--request', request.id], accepted)
  const { outputPath: output } = accepted
  if (terms.json)
    await terminal.out(
      `${jsonText({ schema: 'holdfast.request/1', request, pid, output, tool: { version: terminal.version } })}\n`,
    )
  else if (!terms.quiet)
    await terminal.print(`triage begins in the background (pid ${pid}); its output: ${printable(output)}\n`)
  return exitCodes.sound
}

/** A program must not begin what only a person may decide: each further pause may do further harm (I1.8). */
async function requireNoHarm(settings: Settings): Promise<void> {
  await using ledger = await readLedger(settings.ledger.dir, wayOf(settings))
  const { results } = await ledger.notableResults(0, Date.now())
  const harmed = results
    .filter(({ failure }) => failure !== null && signsOfHarm.has(failure))
    .map(({ tenant }) => tenant)
  const stopped = standingHarm(await ledger.lastRuns(runsReadMax))
  if (harmed.length === 0 && stopped === null) return
  const where = harmed.length > 0 ? harmed.slice(0, namedMax).join(', ') : `${stopped?.code} in run ${stopped?.run}`
  throw new Failure(
    'HARM_SUSPECTED',
    `an earlier run was stopped because it suspected harm (${printable(where)}), so no triage begins without a person`,
  )
}

const namedMax = 5
const runsReadMax = 1_000

const commandOf = ({ command }: { readonly command: string | null }): string =>
  command === null ? '' : `, \`${printableSentence(command)}\``

/** @throws {Failure} READ_FAILED if the system starts no process */
async function startBehind(
  words: readonly string[],
  { output, lock }: { readonly output: number; readonly lock: number },
): Promise<number> {
  const [, program = ''] = process.argv
  // In a session of its own: neither the end of a terminal nor that of monit's hook ends it.
  const child = spawn(process.execPath, [...process.execArgv, program, 'triage', ...words], {
    detached: true,
    stdio: ['ignore', output, output, lock],
    env: withoutMonit(process.env),
  })
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw new Failure('READ_FAILED', `the triage could not be started: ${(error as Error).message}`, { cause: error })
  }
  child.unref()
  return child.pid ?? 0
}
