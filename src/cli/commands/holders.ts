import type { Command } from 'commander'
import { holdersOfPath } from '../../hold/seal/holders.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { renderHolders } from '../../report/text/holders.ts'
import { jsonText } from '../../text/json-text.ts'
import type { Act } from '../main.ts'
import { withCommon, type CommonOptions } from '../options.ts'
import type { Terminal } from '../terminal/terminal.ts'

export function addHolders(program: Command, face: Terminal, act: Act): void {
  withCommon(
    program.command('holders').description('who has a database open, mapped or locked; opens nothing itself'),
    'holdfast.holders/1',
  )
    .argument('<file>', 'database file')
    .addHelpText(
      'after',
      `
Examples:
  holdfast holders app.db
  holdfast holders app.db --json | jq .holders

Exit codes: 0 nobody has it, 1 failed, 3 something could not be looked at,
  64 usage, 70 bug, 75 somebody has it`,
    )
    .action((file: string, options: CommonOptions) => act(() => listHolders(file, options, face)))
}

async function listHolders(file: string, { json, quiet }: CommonOptions, face: Terminal): Promise<ExitCode> {
  const { holders, unseen } = await holdersOfPath(file)
  if (json) await face.out(`${jsonText({ schema: 'holdfast.holders/1', path: file, holders, unseen })}\n`)
  else if (!quiet || holders.length > 0 || unseen.length > 0)
    await face.print(renderHolders(file, holders, unseen, face))
  if (holders.length > 0) return exitCodes.busy
  return unseen.length > 0 ? exitCodes.inconclusive : exitCodes.sound
}
