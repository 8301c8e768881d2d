/** Judges the rules of the application on a snapshot that was checked (`check.invariants`). */

import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checker } from '../../check/check.ts'
import type { InvariantRule } from '../../config/invariants.ts'
import type { Command } from '../../config/settings.ts'
import type { JudgedRule } from '../../diagnosis/notices/invariants.ts'
import { requireSpace } from '../../hold/preflight.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { copyRegularFile } from '../../host/files/copy-file.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import { describeEnd } from '../../service/hooks/command-failures.ts'
import { runCommand } from '../../service/hooks/command.ts'
import { printableInUtf8 } from '../../text/printable.ts'
import type { Target } from '../begin/target.ts'
import { matchesId } from '../selection/id-pattern.ts'

export interface JudgedSnapshot {
  readonly path: SnapshotPath
  readonly kept: KeptFiles
  readonly bytes: number
}

interface InvariantTerms {
  readonly checker: Checker
  /** Private folder for copies. */
  readonly folder: string
  readonly invariants: readonly InvariantRule[]
}

/** The rules for this tenant; for a bare file those that name no tenants. */
export const rulesFor = ({ tenant }: Target, invariants: readonly InvariantRule[]): readonly InvariantRule[] =>
  invariants.filter(
    ({ tenants }) => tenants === null || (tenant !== null && tenants.some((pattern) => matchesId(tenant, pattern))),
  )

/**
 * The statements are asked in the confined child. Each command gets the path of a copy of its own, which is deleted
 * afterwards. It never gets the live file, nor what may be kept as a backup.
 * @param snapshot one plain file, as a check leaves it
 * @throws {Failure} INTERRUPTED; any other failure makes a rule unjudged
 */
export async function judgeInvariants(
  target: Target,
  snapshot: JudgedSnapshot,
  terms: InvariantTerms,
  signal: AbortSignal,
): Promise<readonly JudgedRule[]> {
  const rules = rulesFor(target, terms.invariants)
  const asked = rules.flatMap(({ question, timeoutMs }) =>
    question.kind === 'sql' ? [{ sql: question.sql, timeoutMs }] : [],
  )
  const answers = asked.length === 0 ? [] : await askAll(asked, snapshot, terms.checker, signal)
  const next = answers.values()
  const judged: JudgedRule[] = []
  for (const { name, severity, question, timeoutMs } of rules) {
    const outcome =
      question.kind === 'sql'
        ? (next.next().value ?? { kind: 'unjudged' as const, why: 'it was not asked' })
        : await runRule(question.command, timeoutMs, target, snapshot, terms.folder, signal)
    judged.push({ name, severity, outcome })
  }
  return judged
}

type RuleOutcome = JudgedRule['outcome']
const unjudged = (why: string): RuleOutcome => ({ kind: 'unjudged', why })

async function askAll(
  asked: readonly { readonly sql: string; readonly timeoutMs: number }[],
  { path, kept }: JudgedSnapshot,
  checker: Checker,
  signal: AbortSignal,
): Promise<readonly RuleOutcome[]> {
  try {
    const answers = await checker.askRules({ path, kept }, asked, signal)
    return answers.map((answer): RuleOutcome => {
      if (answer.kind !== 'violated') return answer
      const { keys, total, more } = answer
      return { kind: 'rows', keys, total, more }
    })
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'INTERRUPTED') throw error
    return asked.map(() => unjudged(error.message))
  }
}

async function runRule(
  command: Command,
  timeoutMs: number,
  target: Target,
  snapshot: JudgedSnapshot,
  parent: string,
  signal: AbortSignal,
): Promise<RuleOutcome> {
  let folder: string | null = null
  try {
    requireSpace(parent, snapshot.bytes, 'the copy for a rule of check.invariants')
    folder = await mkdtemp(join(parent, 'rule-'))
    const copy = join(folder, 'snapshot.db')
    await copyRegularFile(snapshot.path, copy, 'refuse')
    return await askCommand(command, copy, timeoutMs, target, signal)
  } catch (error) {
    const failure = systemFailure(error, { doing: 'copy a snapshot for a rule into', path: parent })
    if (!(failure instanceof Failure) || failure.code === 'INTERRUPTED') throw failure
    return unjudged(failure.message)
  } finally {
    if (folder !== null) await rm(folder, { recursive: true, force: true })
  }
}

/** Exit code 0: the rule holds. 1: it does not, and stdout says why. Anything else says nothing about the rule. */
async function askCommand(
  command: Command,
  copy: string,
  timeoutMs: number,
  { tenant, named }: Target,
  signal: AbortSignal,
): Promise<RuleOutcome> {
  if (tenant?.includes('\0')) return unjudged('the id of the tenant has a NUL, which no environment variable can hold')
  const argv = command.map((word) => word.replaceAll('{snapshot}', () => copy))
  const env = { HOLDFAST_TENANT: tenant ?? '', HOLDFAST_PATH: named }
  const end = await runCommand(argv, { timeoutMs, signal, env, readsStdout: true, onStarted: () => undefined })
  if (end.how === 'aborted') signal.throwIfAborted()
  if (end.how === 'exit' && end.code === 0) return { kind: 'held' }
  if (end.how === 'exit' && end.code === 1) return linesOf(end.stdout)
  return unjudged(describeEnd({ command: argv, template: command, end, timeoutMs }, 'its timeout'))
}

const linesMax = 20
const lineLengthMax = 200

function linesOf(stdout: string): RuleOutcome {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '')
  return {
    kind: 'lines',
    lines: lines.slice(0, linesMax).map((line) => printableInUtf8(line.slice(0, lineLengthMax))),
    total: lines.length,
  }
}
