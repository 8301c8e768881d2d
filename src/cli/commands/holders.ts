import type { Command } from 'commander'
import { holdersOfPath } from '../../hold/holders.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { renderHolders } from '../../report/holders.ts'
import type { Face } from '../face.ts'
import type { Act } from '../main.ts'

export function addHolders(program: Command, face: Face, act: Act): void {
  program.command('holders').description('who has a database open, mapped or locked; opens nothing itself')
    .argument('<file>', 'database file')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText('after', `
Examples:
  holdfast holders app.db
  holdfast holders app.db --json | jq .holders

Exit codes: 0 nobody has it, 1 failed, 3 something could not be looked at, 75 somebody has it`)
    .action((file: string, options: { readonly json?: boolean }) => act(() => listHolders(file, options.json ?? false, face)))
}

async function listHolders(file: string, json: boolean, face: Face): Promise<ExitCode> {
  const { holders, unseen } = await holdersOfPath(file)
  if (json) await face.out(`${JSON.stringify({ schema: 'holdfast.holders/1', path: file, holders, unseen }, null, 2)}\n`)
  else await face.out(renderHolders(file, holders, unseen, { width: face.width, color: face.color }))
  if (holders.length > 0) return exitCodes.busy
  return unseen.length > 0 ? exitCodes.inconclusive : exitCodes.sound
}
