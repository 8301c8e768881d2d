/** Whether a sink took what it was given. `why`: one clause without secrets. */
export type SinkAnswer = { readonly ok: true } | { readonly ok: false; readonly why: string }
