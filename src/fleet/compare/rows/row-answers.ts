/** Answers to questions about the rows of one file, from the reader of its snapshot. */

import type { ComparedSide } from '../../../check/compare/compared-side.ts'
import { keysMax } from '../../../comparison/first-keys.ts'
import { doubtsIn, findTables, type TableShape } from '../../../comparison/tables.ts'
import type { Result } from '../../../model/result/report.ts'
import { pack, unpackWords } from './pack-numbers.ts'
import { rowsEachPass, type RowQuestion, type SentAnswer, type TableOfFile } from './row-questions.ts'

/** Recovers the snapshot if the check has not, and describes its tables. */
export async function describeFile(
  side: ComparedSide,
  { content, findings, coverage }: Pick<Result, 'content' | 'findings' | 'coverage'>,
): Promise<SentAnswer<'open'>> {
  const schema = await side.open()
  if (schema === null) return { encoding: 'UTF-8', why: side.stoppedWhy ?? 'its schema could not be read', tables: [] }
  const found = findTables(schema.plan, content.tables, doubtsIn(findings, coverage.skipped))
  const tables = [...found.values()]
    .slice(0, tablesMax)
    .map(({ name, tree, plan, content: counted, doubt }): TableOfFile => ({
      name,
      rows: counted?.rows ?? 0,
      digest: counted?.digest ?? null,
      doubt: doubt?.slice(0, sentenceMax) ?? (counted === null ? 'its rows were not counted' : null),
      tree,
      shape: shapeOf(plan),
    }))
  return { encoding: schema.description.encoding, why: null, tables }
}

const tablesMax = 1000
const sentenceMax = 1000

/** Without the defaults of columns, which are values. */
function shapeOf(plan: TableShape | null): TableOfFile['shape'] {
  if (plan === null) return null
  const columns = plan.columns.map(({ name }) => ({ name }))
  return plan.kind === 'rowid-table'
    ? { kind: 'rowid-table', rowidAlias: plan.rowidAlias, columns }
    : { kind: 'keyed-table', key: Array.from(plan.key, () => null), columns }
}

export type QuestionAboutRows = Exclude<RowQuestion, { readonly step: 'files' | 'open' | 'ping' | 'end' }>

export const isAboutRows = (question: RowQuestion): question is QuestionAboutRows =>
  !['files', 'open', 'ping', 'end'].includes(question.step)

export async function answerOf(
  side: ComparedSide,
  question: QuestionAboutRows,
  memoryBytesMax: number,
): Promise<object> {
  const answer = await askReader(side, question, memoryBytesMax)
  return answer ?? { failed: side.stoppedWhy ?? 'its reader gave no answer' }
}

/** @returns null if the reader gave no answer */
async function askReader(
  side: ComparedSide,
  question: QuestionAboutRows,
  memoryBytesMax: number,
): Promise<object | null> {
  switch (question.step) {
    case 'begin': {
      const { tree, identity, asUtf8, key } = question
      const answer = await side.ask<'beginTable'>({
        step: 'beginTable',
        tree,
        reading: { identity, asUtf8, key },
        rowsMax: rowsEachPass,
        memoryBytesMax,
      })
      return answer && ({ refused: answer.kind === 'ready' ? null : answer.why } satisfies SentAnswer<'begin'>)
    }
    case 'sums': {
      const answer = await side.ask<'sumRows'>({ step: 'sumRows' })
      if (answer === null) return null
      const { sums, digest, keyedDigest, unread } = answer
      return { sums: pack(sums), digest, keyedDigest, unread } satisfies SentAnswer<'sums'>
    }
    case 'rows': {
      const wanted = question.wanted === null ? null : Uint8Array.from(question.wanted)
      const answer = await side.ask<'collectRows'>({ step: 'collectRows', wanted, rowsMax: rowsEachPass })
      if (answer === null) return null
      const { count, keyLow, keyHigh, contentLow, contentHigh } = answer.entries
      return {
        count,
        keyLow: pack(keyLow),
        keyHigh: pack(keyHigh),
        contentLow: pack(contentLow),
        contentHigh: pack(contentHigh),
        full: answer.full,
        unread: answer.unread,
      } satisfies SentAnswer<'rows'>
    }
    case 'name': {
      const onlyHere = unpackWords(question.onlyHere, Uint32Array)
      const different = unpackWords(question.different, Uint32Array)
      return (await side.ask<'nameRows'>({ step: 'nameRows', onlyHere, different })) && {}
    }
    case 'first': {
      const answer = await side.ask<'firstKeys'>({ step: 'firstKeys' })
      return answer && { onlyHere: answer.onlyHere.slice(0, keysMax), different: answer.different.slice(0, keysMax) }
    }
  }
}
