/** What a parent and its child say to each other. Exactly one answer comes for each `ask`, none for a `tell`. */
export type ToChild<Question> =
  | { readonly kind: 'ask'; readonly question: Question }
  | { readonly kind: 'tell'; readonly question: Question }

export type ToParent<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'error'; readonly message: string; readonly system: SystemErrorFields }

/** Empty for an error that is none of the operating system; the code alone where a part of the program cannot load. */
export interface SystemErrorFields {
  readonly errno?: number
  readonly code?: string
  readonly syscall?: string
}
