/** The program of the child process that merges two files. */
import { serve } from '../../worker/child/serve.ts'
import type { MergeSteps } from '../protocol.ts'
import { MergeSession } from './merge-session.ts'

serve<MergeSteps>(() => (folder) => new MergeSession(folder))
