/** The messages between a parent and its child. Each `ask` gets exactly one answer, a `tell` gets none. */
export type ToChild<Question> =
  | { readonly kind: 'ask'; readonly question: Question }
  | { readonly kind: 'tell'; readonly question: Question }

export type ToParent<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'error'; readonly message: string; readonly system: SystemErrorFields }

/** Empty for an error that is none of the operating system. Only the code if a part of the program cannot load. */
export interface SystemErrorFields {
  readonly errno?: number
  readonly code?: string
  readonly syscall?: string
}
