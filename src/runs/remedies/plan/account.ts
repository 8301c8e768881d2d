/** The account of a remedy: made on the copy, and written under the id of the change before the live set changes. */

import { AccountDraft } from '../../../repair/account/account-draft.ts'
import { readDropped } from '../../../repair/rehearse/read-dropped.ts'
import type { DroppedEntries } from '../../../repair/rehearse/rehearsal-result.ts'
import type { RemedyAccount } from './tried-remedy.ts'

/** @param scratch a private folder of ours @returns the account of the entries that a rebuild drops */
export async function accountOfDropped(dropped: DroppedEntries, scratch: string): Promise<RemedyAccount> {
  const draft = new AccountDraft(scratch)
  try {
    for await (const entry of readDropped(dropped)) draft.addDropped(entry)
  } catch (error) {
    draft[Symbol.dispose]()
    throw error
  }
  return accountFrom(draft)
}

/** Disposing of it closes the draft. */
export const accountFrom = (draft: AccountDraft): RemedyAccount => ({
  summary: draft.summary,
  publish: (change, place) => draft.publish(change, place),
  [Symbol.dispose]: () => draft[Symbol.dispose](),
})
