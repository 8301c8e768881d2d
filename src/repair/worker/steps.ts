/** Questions to child processes that work on copies, and their answers: what their protocols share. */

import type { User } from '../../check/confinement.ts'
import type { Confinement } from '../../check/protocol.ts'

/** By the name of a step: what is asked, and what is answered. */
type Steps<All> = { readonly [S in keyof All]: { readonly ask: object; readonly answer: object } }

/** The first steps of every child. */
export interface FirstSteps {
  /** As for a reader (check/protocol.ts). */
  confine: {
    readonly ask: { readonly folder: string; readonly user: User | null }
    readonly answer: { readonly sqliteVersion: string; readonly confinement: Confinement }
  }
  /** Limits the length of each file that the process writes. */
  limitFileSize: { readonly ask: { readonly fileBytesMax: number }; readonly answer: object }
}

/**
 * Why SQLite did not do it. `corrupt`: it met a broken tree. `not-unique`: rows violate a UNIQUE index. `space`,
 * `memory`, `disk`: the machine, not the file. `other`: what `why` says, for example a collation that is missing.
 */
export interface FailedStep {
  readonly kind: 'not-done'
  readonly reason: 'corrupt' | 'not-unique' | 'space' | 'memory' | 'disk' | 'other'
  readonly why: string
}

export type StepQuestion<All extends Steps<All>, S extends keyof All> = { readonly step: S } & All[S]['ask']
export type StepAnswer<All extends Steps<All>, S extends keyof All> = { readonly step: S } & All[S]['answer']

export type Question<All extends Steps<All>> = { [S in keyof All]: StepQuestion<All, S> }[keyof All]
/** `not-done`: the step could not be done, and no answer of its own says so. */
export type Answer<All extends Steps<All>> =
  | { [S in keyof All]: StepAnswer<All, S> }[keyof All]
  | ({ readonly step: 'not-done' } & FailedStep)

/** Steps of one kind of child. */
export type StepsOf<All> = Steps<All> & FirstSteps
