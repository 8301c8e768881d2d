/** The commands of the fleet: `holdfast fleet …`. Each is in a file of its own in commands/fleet/. */
import { addFleetAgents } from './commands/fleet/agents.ts'
import { addFleetCompare } from './commands/fleet/compare.ts'
import { addFleetExport } from './commands/fleet/export.ts'
import { addFleetGroup } from './commands/fleet/fleet.ts'
import { addFleetHistory } from './commands/fleet/history.ts'
import { addFleetImport } from './commands/fleet/import.ts'
import { addFleetPause } from './commands/fleet/pause.ts'
import { addFleetReconcile } from './commands/fleet/reconcile.ts'
import { addFleetResume } from './commands/fleet/resume.ts'
import { addFleetStatus } from './commands/fleet/status.ts'
import { addFleetSweep } from './commands/fleet/sweep.ts'
import { addFleetTriage } from './commands/fleet/triage.ts'
import type { Invocation } from './invocation.ts'

/** In the order of the help. */
export function addFleet(invocation: Invocation): void {
  const group = addFleetGroup(invocation)
  addFleetSweep(invocation, group)
  addFleetTriage(invocation, group)
  addFleetStatus(invocation, group)
  addFleetHistory(invocation, group)
  addFleetAgents(invocation, group)
  addFleetReconcile(invocation, group)
  addFleetCompare(invocation, group)
  addFleetPause(invocation, group)
  addFleetResume(invocation, group)
  addFleetExport(invocation, group)
  addFleetImport(invocation, group)
}
