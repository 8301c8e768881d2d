/** What a command may say and end with when a call of it failed. */
import { basename } from 'node:path'
import type { Report } from '../../../src/model/result/report.ts'
import type { Ended } from '../../support/processes.ts'
import type { TriedCommand } from './commands.ts'
import { errnosOf } from './errnos.ts'
import { truth } from './place.ts'
import type { Call } from './trace.ts'

/** Of interfaces.md, without those for usage, signals and defects. */
const usual: readonly number[] = [0, 1, 2, 3, 4, 5, 75, 78]
/** Only a command that did what it was asked may end with these. */
const saidOfAll: readonly number[] = [0, 2, 5]

/** @param failed the calls that failed */
export function complaintsAbout(command: TriedCommand, ended: Ended, failed: readonly Call[]): readonly string[] {
  const { code, signal, stdout, stderr } = ended
  if (isOfRuntime(failed)) return falseWords(ended)
  if (command.dies) return signal === 'SIGKILL' ? [] : [`it was to be killed, and ended with ${code ?? signal}`]
  const complaints = falseWords(ended)
  const complain = (isWrong: boolean, complaint: string): void => void (isWrong && complaints.push(complaint))
  complain(code === null || !(command.codes ?? usual).includes(code), `exit code ${code ?? signal}`)
  const isFalse = code !== null && code !== command.code && saidOfAll.includes(code)
  complain(isFalse, `exit code ${code} instead of ${command.code}`)
  complain(/defect in holdfast/.test(stderr + stdout), 'a defect is told')
  complain(/^\s+at .+:\d+:\d+\)?$/m.test(stderr) || /^Node\.js v/m.test(stderr), 'a raw stack is shown')
  complain(code === 1 && stderr.trim() === '' && stdout.trim() === '', 'it failed without a word')
  return complaints
}

/** Calls may come in another order than planned: where one of the runtime's own was met, Node may end as it likes. */
export const isOfRuntime = (failed: readonly Call[]): boolean =>
  failed.some(({ name, args }) => errnosOf(name, args)?.length === 0)

/** What a report says, against what is true of the files. */
function falseWords({ stdout, code }: Ended): string[] {
  if (!stdout.startsWith('{')) return []
  let report: Partial<Pick<Report, 'results' | 'summary'>>
  try {
    report = JSON.parse(stdout) as typeof report
  } catch {
    return code === 0 ? ['half a report, and exit code 0'] : []
  }
  const { results = [], summary } = report
  const said = results.flatMap(({ path, verdict }) => {
    const isTrue = verdict === 'inconclusive' || verdict === 'failed' || verdict === (truth[basename(path)] ?? verdict)
    return isTrue ? [] : [`${path} is called ${verdict}`]
  })
  const isAgreed = summary === undefined || code === null || summary.exitCode === code
  return isAgreed ? said : [...said, `exit code ${code}, and ${summary.exitCode} in the report`]
}
