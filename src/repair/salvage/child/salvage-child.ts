/** The program of the child process that salvages a damaged file. */
import { serve } from '../../worker/child/serve.ts'
import type { SalvageSteps } from '../protocol.ts'
import { SalvageSession } from './salvage-session.ts'

serve<SalvageSteps>(() => (folder) => new SalvageSession(folder))
