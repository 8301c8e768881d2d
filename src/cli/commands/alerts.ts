import { Argument } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { renderTestedSinks } from '../../report/alerts/tested-sinks.ts'
import { withConfiguration } from '../../report/text/hint.ts'
import { jsonText } from '../../text/json-text.ts'
import type { Invocation } from '../invocation.ts'
import { withCommon, type CommonOptions } from '../options.ts'
import { textOrDocument } from '../printing/printer.ts'
import type { Terminal } from '../terminal/terminal.ts'

const help = `
Each sink gets one alarm of each kind that its \`on\` names. Title and text say
that it is a test, and the document has "test": true. Each is tried once, for at
most 10 s. Tests change nothing in what holdfast remembers.

Each heartbeat address is requested once. Its monitor takes that for a sweep
that went well, and waits for a whole period again. So never put this command
into cron or a timer: the monitor would stay silent although no sweep ever runs.

Examples:
  holdfast alerts test                   after each change of \`alerts\`
  holdfast alerts test --quiet           prints nothing if all sinks work
  holdfast alerts test --json            for a program

Exit codes: 0 every sink took what it was sent, 1 a sink failed, 64 usage,
  70 bug, 78 configuration, also if it has no sink,
  129/130/131/143 ended by a signal`

export function addAlerts(invocation: Invocation): void {
  withCommon(
    invocation.add('alerts', textOrDocument).description('send a test alarm of each kind to every sink'),
    'holdfast.alerts/1',
  )
    .addArgument(new Argument('<action>', 'what to do').choices(['test']))
    .addHelpText('after', help)
    .action((_action: string, options: CommonOptions) =>
      invocation.performWithoutProc(() => testAlerts(options, invocation.terminal)),
    )
}

async function testAlerts(options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  if (settings.alerts.length === 0)
    throw new Failure('CONFIG_INVALID', `${settings.file} names no sink: nobody gets an alarm`, {
      hint: 'add one: alerts: [{ command: [/usr/local/bin/page] }]; `holdfast explain alerts` says more',
    })
  const { testSinks } = await import('../../alarm/test-alarms.ts')
  const command = withConfiguration('holdfast status', terminal.commandLine.config)
  const tested = await testSinks(settings, command, terminal.interrupt.signal)
  const code = tested.some(({ outcome }) => outcome === 'failed') ? exitCodes.failed : exitCodes.sound
  if (options.json) {
    const document = {
      schema: 'holdfast.alerts/1',
      tool: { version: terminal.version },
      service: settings.service.name,
    }
    await terminal.out(`${jsonText({ ...document, alarms: tested, exitCode: code })}\n`)
  } else if (!options.quiet || code !== exitCodes.sound) await terminal.print(renderTestedSinks(tested, terminal))
  return code
}
