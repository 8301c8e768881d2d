/** Whether another user could change the programs that holdfast runs: that user would run commands as us. */

import { accessSync, constants } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { Command, ServiceSettings } from '../../config/settings.ts'
import { findUntrusted, type Untrusted } from '../../host/files/trusted-path.ts'
import { fit, warning, type StepOutcome } from '../steps.ts'

/**
 * A warning and no refusal: where the service's own user deploys its programs, the service is trusted with its data
 * anyway.
 */
export function examinePrograms(service: ServiceSettings): StepOutcome {
  if (service.kind !== 'hooks') return fit('none')
  for (const [program] of [service.tenants, service.quiesce, service.resume]) {
    const untrusted = untrustedProgram(program)
    if (untrusted === null) continue
    const said = `another user could change ${program}, which runs as this user: ${untrusted.path}: ${untrusted.why}`
    return warning(said, untrusted.remedy ?? 'keep the program in a folder that no other user can write')
  }
  return fit('no other user can change them')
}

/**
 * By its name alone a program is looked for in the folders of PATH: one of another user in an earlier folder would be
 * run in its place.
 */
function untrustedProgram(program: Command[0]): Untrusted | null {
  if (program.includes('/')) return findUntrusted(program, 'file')
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    if (!isAbsolute(folder)) return { path: JSON.stringify(folder), ...relativeInPath }
    const untrusted = findUntrusted(folder, 'folder')
    if (untrusted !== null) return untrusted
    const path = join(folder, program)
    if (isProgram(path)) return findUntrusted(path, 'file')
  }
  return null // It is not there: starting it says so.
}

const relativeInPath = {
  why: 'PATH names a folder by where holdfast is started',
  remedy: 'name absolute folders in PATH',
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
