/** The deed of a hold: while its files are sealed, each is copied, between two proofs. */
import { inParallel, inTurn } from './file-hold.ts'
import { copyFile, probeAgain, proveFileAgain, type CopiedFile } from './file-steps.ts'
import type { HoldDeed } from './in-pause.ts'

/** A file whose copy has both proofs. */
export type ProvenCopy = CopiedFile

export const copying: HoldDeed<ProvenCopy> = {
  underSeal: async (proven, pause, over) => {
    const copied = await inTurn(proven, (file) => copyFile(file, over))
    const provenAgain = await inTurn(copied, proveFileAgain)
    pause?.assertStanding()
    return provenAgain
  },
  underLocks: (copied, probe) => inParallel(copied, (file) => probeAgain(file, probe)),
}
