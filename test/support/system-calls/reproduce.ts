/**
 * Makes one call of one command fail, and prints what happened. Needs the built program (`npm run build`).
 *   node test/support/system-calls/reproduce.ts COMMAND,ROLE,CALL,WHEN,ERRNO[,PATH]
 */
import { parseInjection } from './injection.ts'
import { openScene } from './scene.ts'
import { tryInjection } from './trial.ts'

await using scene = await openScene()
const { ended, failed, complaints } = await tryInjection(scene, parseInjection(process.argv[2] ?? ''))
const calls = failed.map(({ name, args }) => `failed: ${name}(${args}`)
process.stdout.write(
  [
    ended.stdout,
    ended.stderr,
    `exit code ${ended.code ?? ended.signal}`,
    ...(calls.length === 0 ? ['no call was failed: the command did not reach it'] : calls),
    ...complaints.map((complaint) => `WRONG: ${complaint}`),
    '',
  ].join('\n'),
)
process.exitCode = complaints.length === 0 ? 0 : 1
