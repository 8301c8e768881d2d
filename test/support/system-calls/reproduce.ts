/**
 * Makes one call of one command fail, and shows what came of it. Needs the built program (`npm run build`).
 *   node test/faults/system-calls/reproduce.ts COMMAND,ROLE,CALL,WHEN,ERRNO[,PATH]
 */
import { parse } from './injection.ts'
import { openPlace } from './place.ts'
import { tryOut } from './trial.ts'

await using place = await openPlace()
const { ended, failed, complaints } = await tryOut(place, parse(process.argv[2] ?? ''))
const calls = failed.map(({ name, args }) => `failed: ${name}(${args}`)
process.stdout.write(
  [
    ended.stdout,
    ended.stderr,
    `exit code ${ended.code ?? ended.signal}`,
    ...(calls.length === 0 ? ['no call was failed: this command did not come to it'] : calls),
    ...complaints.map((complaint) => `WRONG: ${complaint}`),
    '',
  ].join('\n'),
)
process.exitCode = complaints.length === 0 ? 0 : 1
