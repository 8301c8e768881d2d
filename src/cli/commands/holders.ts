import { holdersOfPath } from '../../hold/seal/holders.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { renderHolders } from '../../report/text/holders.ts'
import { jsonText } from '../../text/json-text.ts'
import type { Invocation } from '../invocation.ts'
import { withCommon, type CommonOptions } from '../options.ts'
import { textOrDocument } from '../printing/printer.ts'
import type { Terminal } from '../terminal/terminal.ts'

export function addHolders(invocation: Invocation): void {
  withCommon(
    invocation
      .add('holders', textOrDocument)
      .description('which processes have a database open, mapped or locked; the file is not opened'),
    'holdfast.holders/1',
  )
    .argument('<file>', 'database file')
    .addHelpText(
      'after',
      `
Examples:
  holdfast holders app.db
  holdfast holders app.db --json | jq .holders

Exit codes: 0 no process has it, 1 failed, 3 some processes could not be
  examined, 64 usage, 70 bug, 75 a process has it`,
    )
    .action((file: string, options: CommonOptions) =>
      invocation.perform(() => listHolders(file, options, invocation.terminal)),
    )
}

async function listHolders(file: string, { json, quiet }: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const { holders, unseen } = await holdersOfPath(file)
  if (json) await terminal.out(`${jsonText({ schema: 'holdfast.holders/1', path: file, holders, unseen })}\n`)
  else if (!quiet || holders.length > 0 || unseen.length > 0)
    await terminal.print(renderHolders(file, holders, unseen, terminal))
  if (holders.length > 0) return exitCodes.busy
  return unseen.length > 0 ? exitCodes.inconclusive : exitCodes.sound
}
