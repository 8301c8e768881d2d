/** The questions to the child process that salvages, and its answers. */
import type { Confinement } from '../../check/protocol.ts'
import type { User } from '../../check/confinement.ts'
import type { SalvageProgress } from './salvage.ts'
import type { Salvaged } from './salvaged.ts'

/** Names inside the sandbox. The damaged file has the name of every snapshot. */
export const names = { result: 'new', facts: 'facts', schema: 'schema' } as const

interface SalvageSteps {
  /** Confines the process to its sandbox for good. */
  confine: {
    readonly ask: { readonly folder: string; readonly user: User | null }
    readonly answer: { readonly confinement: Confinement }
  }
  limitFileSize: { readonly ask: { readonly fileBytesMax: number }; readonly answer: object }
  /** Begins, or goes on for about `ms`. */
  salvage: {
    readonly ask: { readonly ms: number; readonly memoryBytesMax: number; readonly hasSchema: boolean }
    readonly answer:
      | ({ readonly kind: 'going-on' } & SalvageProgress)
      | { readonly kind: 'ended'; readonly salvaged: Omit<Salvaged, 'file' | 'facts' | 'ms'> }
      | { readonly kind: 'not-possible'; readonly why: string }
  }
}

type SalvageStep = keyof SalvageSteps
export type SalvageQuestion = {
  readonly [S in SalvageStep]: { readonly step: S } & SalvageSteps[S]['ask']
}[SalvageStep]
export type SalvageAnswer = {
  readonly [S in SalvageStep]: { readonly step: S } & SalvageSteps[S]['answer']
}[SalvageStep]
export type SalvageAnswerOf<S extends SalvageStep> = { readonly step: S } & SalvageSteps[S]['answer']
export type SalvageQuestionOf<S extends SalvageStep> = { readonly step: S } & SalvageSteps[S]['ask']
