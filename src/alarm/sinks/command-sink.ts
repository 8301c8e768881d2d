/** Runs the command of a sink without a shell: the alarm is on stdin, its main fields in the environment. */

import type { Command } from '../../config/settings.ts'
import { withoutSecrets } from '../../service/hooks/command-secrets.ts'
import { runCommand, type CommandEnd } from '../../service/hooks/command.ts'
import { count } from '../../text/count.ts'
import { printableSentenceInUtf8 } from '../../text/printable.ts'
import type { Alarm } from '../alarm.ts'
import type { SinkAnswer } from './sink-answer.ts'

/** A command that takes longer is killed with its process group. */
const timeoutMs = 10_000

export async function sendByCommand(command: Command, alarm: Alarm, signal: AbortSignal): Promise<SinkAnswer> {
  const end = await runCommand(command, {
    timeoutMs,
    signal,
    env: environmentOf(alarm),
    readsStdout: false,
    stdin: `${JSON.stringify(alarm)}\n`,
    onStarted: () => undefined,
  })
  return end.how === 'exit' && end.code === 0 ? { ok: true } : { ok: false, why: describe(end, command) }
}

/** `TENANTS`: one id a line, or the path of a file without a tenant. Texts are printable, so no id has a line break. */
const environmentOf = ({ severity, title, service, tenants, command }: Alarm): Record<string, string> => ({
  HOLDFAST_ALARM_SEVERITY: severity,
  HOLDFAST_ALARM_TITLE: shorten(title),
  HOLDFAST_ALARM_SERVICE: service,
  HOLDFAST_ALARM_TENANTS: shorten([...new Set(tenants.map(({ tenant, path }) => tenant ?? path))].join('\n')),
  HOLDFAST_ALARM_COMMAND: shorten(command),
})

/** The kernel refuses to start a program with a variable of more than 128 KiB. A letter has at most four bytes. */
const variableLettersMax = 16_384
const shorten = (text: string): string =>
  text.length > variableLettersMax ? `${text.slice(0, variableLettersMax)}…` : text

function describe(end: CommandEnd, command: Command): string {
  const how: Record<CommandEnd['how'], string> = {
    exit: `it ended with exit code ${end.code}`,
    signal: 'it was killed',
    aborted: 'it did not end in time, and was killed',
    'not-started': 'it could not be started',
    timeout: `it did not end within ${count(timeoutMs / 1000, 'second')}, and was killed`,
    unkillable: 'it did not end in time, and could not be killed',
    'too-much-output': 'it printed without end, and was killed',
  }
  const complaint = printableSentenceInUtf8(withoutSecrets(end.complaint, command))
  return `${how[end.how]}${complaint === '' ? '' : ` (${complaint})`}`
}
