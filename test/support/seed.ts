/**
 * Property tests try the same cases every time, so that a red test means a changed program. Others are tried with
 * HOLDFAST_SEED, and by the thousand in scripts/.
 */
import * as fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['HOLDFAST_SEED'] ?? 1) })
