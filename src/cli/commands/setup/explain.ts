import type { Explanation } from '../../../diagnosis/explain/explain.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { Failure } from '../../../model/failure.ts'
import {
  explanationDocument,
  renderExplanations,
  renderTopics,
  topicsDocument,
} from '../../../report/text/explanation.ts'
import { jsonText } from '../../../text/json-text.ts'
import type { Invocation } from '../../invocation.ts'
import { withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

export function addExplain(invocation: Invocation): void {
  withCommon(
    invocation
      .add('explain', textOrDocument)
      .description('what a finding, a failure, a configuration key or a word means, and what to do'),
    'holdfast.explanation/1; without a topic holdfast.topics/1',
  )
    .argument(
      '[topic...]',
      'a rule, a failure code, a configuration key, a word or an exit code (default: list all of them)',
    )
    .addHelpText(
      'after',
      `
Examples:
  holdfast explain                      all topics, grouped
  holdfast explain row-missing-from-index
  holdfast explain IN_USE
  holdfast explain hold.maxPause        a key of the configuration
  holdfast explain service.hooks
  holdfast explain exit 4

Exit codes: 0 explained, 64 no such topic, 70 bug`,
    )
    .action((words: readonly string[], options: CommonOptions) =>
      invocation.performWithoutProc(() => explainTopic(words.join(' '), options.json ?? false, invocation.terminal)),
    )
}

async function explainTopic(topic: string, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const { explain, nearestTopics } = await import('../../../diagnosis/explain/explain.ts')
  const all = await allTopics()
  if (topic === '') return listTopics(all, json, terminal)
  const explanations = explain(topic, all)
  const [first, ...others] = explanations
  if (!first) throw new Failure('USAGE', `nothing is known of ${topic}`, { hint: hintFor(nearestTopics(topic, all)) })
  if (json) await terminal.out(`${jsonText(explanationDocument(first, others))}\n`)
  else await terminal.print(renderExplanations(explanations, terminal))
  return exitCodes.sound
}

/** Loads these texts only here: no other command needs them. */
async function allTopics(): Promise<readonly Explanation[]> {
  const [{ topics, topicKinds }, { explainKeys }] = await Promise.all([
    import('../../../diagnosis/explain/explain.ts'),
    import('../../../config/reference/explain-keys.ts'),
  ])
  return [...topics, ...explainKeys()].toSorted((a, b) => topicKinds.indexOf(a.kind) - topicKinds.indexOf(b.kind))
}

const hintFor = (near: readonly string[]): string =>
  near.length > 0 ? `did you mean ${near.join(', ')}?` : '`holdfast explain` lists all topics'

async function listTopics(all: readonly Explanation[], json: boolean, terminal: Terminal): Promise<ExitCode> {
  if (json) await terminal.out(`${jsonText(topicsDocument(all))}\n`)
  else await terminal.print(renderTopics(all, terminal))
  return exitCodes.sound
}
