/** The commands of the fleet: `holdfast fleet …`. Each is in a file of its own in commands/fleet/. */
import { addFleetCompare } from './commands/fleet/compare.ts'
import { addFleetExport } from './commands/fleet/export.ts'
import { addFleetGroup } from './commands/fleet/fleet.ts'
import { addFleetImport } from './commands/fleet/import.ts'
import type { Invocation } from './invocation.ts'

/** In the order of the help. */
export function addFleet(invocation: Invocation): void {
  const group = addFleetGroup(invocation)
  addFleetCompare(invocation, group)
  addFleetExport(invocation, group)
  addFleetImport(invocation, group)
}
