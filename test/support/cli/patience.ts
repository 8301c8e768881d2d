/** Limits of live mode for a busy machine, which may take longer than the defaults allow. */
import { writeFileSync } from 'node:fs'
import type { Folder } from './folder.ts'

/** A section of a configuration. */
export const patientLimits = 'live: { pinWait: 30s, maxPin: 1m, maxWriterWait: 1m }\n'

/** A configuration with these limits alone. @returns its path */
export function patientConfig(folder: Folder): string {
  const config = folder.in('patient.yaml')
  const service = `service: { name: notes, admin: unix:${folder.in('none.sock')} }\n`
  writeFileSync(config, `${service}tenants: { roots: [${folder.path}] }\n${patientLimits}`)
  return config
}
