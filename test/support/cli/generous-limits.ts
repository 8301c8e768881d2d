/** Limits of live mode for a busy machine, which may take longer than the defaults allow. */
import { writeFileSync } from 'node:fs'
import type { Folder } from './folder.ts'

/** A section of a configuration. */
export const generousLimits = 'live: { pinWait: 30s, maxPin: 1m, maxWriterWait: 1m }\n'

/** A configuration with these limits alone. @returns its path */
export function generousConfig(folder: Folder): string {
  const config = folder.in('generous.yaml')
  const service = `service: { name: notes, admin: unix:${folder.in('none.sock')} }\n`
  writeFileSync(config, `${service}tenants: { roots: [${folder.path}] }\n${generousLimits}`)
  return config
}
