/**
 * Property tests try the same cases in every run, so that a failure means a changed program. HOLDFAST_SEED chooses
 * other cases, and `npm run fuzz` tries thousands.
 */
import * as fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['HOLDFAST_SEED'] ?? 1) })
