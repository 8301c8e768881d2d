/** Tells whether another user could change the programs of the hooks: that user could run commands as ours. */

import { accessSync, constants } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { Command, ServiceSettings } from '../../config/settings.ts'
import { findUntrusted, type UntrustedPath } from '../../host/files/trusted-path.ts'
import { fit, warning, type StepOutcome } from '../steps.ts'

/**
 * Only a warning: if the service's own user installs the programs, that user has the service's data anyway.
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
 * A program without a slash is searched in the folders of PATH. Another user's program in an earlier folder would run
 * in its place.
 */
function untrustedProgram(program: Command[0]): UntrustedPath | null {
  if (program.includes('/')) return findUntrusted(program, 'file')
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    if (!isAbsolute(folder)) return { path: JSON.stringify(folder), ...relativeInPath }
    const untrusted = findUntrusted(folder, 'folder')
    if (untrusted !== null) return untrusted
    const path = join(folder, program)
    if (isProgram(path)) return findUntrusted(path, 'file')
  }
  return null // It does not exist: the attempt to start it will say so.
}

const relativeInPath = {
  why: 'PATH has a relative folder, which depends on where holdfast is started',
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
