import type { Command } from 'commander'
import { explain, nearestTopics } from '../../diagnosis/explain.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { renderExplanation } from '../../report/explanation.ts'
import type { Face } from '../face.ts'
import type { Act } from '../main.ts'
import { withCommon, type CommonOptions } from '../options.ts'
import { jsonText } from '../../report/json-text.ts'

export function addExplain(program: Command, face: Face, act: Act): void {
  withCommon(program.command('explain').description('what a finding, a failure or a word of the report means, and what to do'), 'holdfast.explanation/1')
    .argument('<topic>', 'a rule, a failure code, a verdict, a seal level or an exit code')
    .addHelpText('after', `
Examples:
  holdfast explain row-missing-from-index
  holdfast explain IN_USE
  holdfast explain sealed

Exit codes: 0 explained, 64 no such topic, 70 bug`)
    .action((topic: string, options: CommonOptions) => act(() => tell(topic, options.json ?? false, face)))
}

async function tell(topic: string, json: boolean, face: Face): Promise<ExitCode> {
  const explanation = explain(topic)
  if (!explanation) throw new Failure('USAGE', `nothing is known of ${topic}`, { hint: hintFor(nearestTopics(topic)) })
  if (json) await face.out(`${jsonText({ schema: 'holdfast.explanation/1', ...explanation })}\n`)
  else await face.print(renderExplanation(explanation, face))
  return exitCodes.sound
}

const hintFor = (near: readonly string[]): string => (near.length > 0 ? `did you mean ${near.join(', ')}?` : 'ask for a word as the report has it; `holdfast explain --help` shows some')
