/** What a command may print, and how it may end, after one of its calls has failed. */
import { basename } from 'node:path'
import type { RemedyResult } from '../../../src/model/result/remedy.ts'
import type { Report } from '../../../src/model/result/report.ts'
import type { EndedProgram } from '../processes.ts'
import type { TriedCommand } from './commands.ts'
import { errnosOf } from './errnos.ts'
import { truth } from './scene.ts'
import type { TracedCall } from './trace.ts'

/** The exit codes of src/model/exit-code.ts without those of usage, signals and defects. */
const usualCodes: readonly number[] = [0, 1, 2, 3, 4, 5, 75, 78]
/** Exit codes that claim that everything was checked or compared. */
const completeCodes: readonly number[] = [0, 2, 5]

/** @param failed the calls that failed */
export function complaintsAbout(
  command: TriedCommand,
  ended: EndedProgram,
  failed: readonly TracedCall[],
): readonly string[] {
  const { code, signal, stdout, stderr } = ended
  if (isOfRuntime(failed)) return falseWords(ended, failed)
  if (command.dies) return signal === 'SIGKILL' ? [] : [`it should have been killed, and ended with ${code ?? signal}`]
  const complaints = falseWords(ended, failed)
  const complain = (isWrong: boolean, complaint: string): void => void (isWrong && complaints.push(complaint))
  complain(code === null || !(command.codes ?? usualCodes).includes(code), `exit code ${code ?? signal}`)
  // A remedy that could not be tried leaves a damaged file, and says so.
  const isTrueOfDamaged = command.asks === 'mended' && code === 2
  const isFalse = code !== null && code !== command.code && completeCodes.includes(code) && !isTrueOfDamaged
  complain(isFalse, `exit code ${code} instead of ${command.code}`)
  complain(/defect in holdfast/.test(stderr + stdout), 'a defect is reported')
  complain(/^\s+at .+:\d+:\d+\)?$/m.test(stderr) || /^Node\.js v/m.test(stderr), 'a raw stack is shown')
  complain(code === 1 && stderr.trim() === '' && stdout.trim() === '', 'it failed and printed nothing')
  return complaints
}

/** Calls may come in another order than planned. If a call of the runtime itself failed, Node may end in any way. */
export const isOfRuntime = (failed: readonly TracedCall[]): boolean =>
  failed.some(({ name, args }) => errnosOf(name, args)?.length === 0)

/** EPIPE says that no program reads the output any more. The rest of it is dropped, and the exit code stays. */
const hasNoReader = (failed: readonly TracedCall[]): boolean =>
  failed.some(({ name, args }) => /^writev?$/.test(name) && args.startsWith('1<') && args.includes('EPIPE'))

/** Verdicts of a report that are not true of the files. */
function falseWords({ stdout, code }: EndedProgram, failed: readonly TracedCall[]): string[] {
  if (!stdout.startsWith('{')) return []
  let report: Partial<Pick<Report, 'results' | 'summary'>> & { readonly schema?: string }
  try {
    report = JSON.parse(stdout) as typeof report
  } catch {
    return code === 0 && !hasNoReader(failed) ? ['half a report, and exit code 0'] : []
  }
  const { results = [], summary } = report
  const said = results.flatMap((result) => {
    const { path } = result
    const verdict = report.schema === 'holdfast.remedy/1' ? verdictBefore(result) : result.verdict
    const isTrue = verdict === 'inconclusive' || verdict === 'failed' || verdict === (truth[basename(path)] ?? verdict)
    return isTrue ? [] : [`${path} is reported ${verdict}`]
  })
  const isAgreed = summary === undefined || code === null || summary.exitCode === code
  return isAgreed ? said : [...said, `exit code ${code}, and ${summary.exitCode} in the report`]
}

const verdictBefore = (result: unknown): Report['results'][number]['verdict'] =>
  (result as Pick<RemedyResult, 'before'>).before.verdict
