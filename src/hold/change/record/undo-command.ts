import { shellWord, targetWords } from '../../../text/shell-words.ts'
import type { ChangeRecord } from './change-record.ts'

/** The command that takes a change back. */
export function undoCommand({ change, tenant, files: [first] }: Pick<ChangeRecord, 'change' | 'tenant' | 'files'>) {
  return `holdfast repair ${targetWords(tenant, first?.path ?? '')} --undo ${shellWord(change)}`
}
