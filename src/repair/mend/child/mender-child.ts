/** The program of the child process that mends a copy. */
import { loadCore } from '../../../check/reader/pages/compiled-core.ts'
import { serve } from '../../worker/child/serve.ts'
import type { MenderSteps } from '../protocol.ts'
import { CopyMender } from './copy-mender.ts'

serve<MenderSteps>(() => {
  const core = loadCore()
  return (folder) => new CopyMender(folder, core)
})
