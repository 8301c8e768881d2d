/** How long a tenant is paused for a change, by the service's clock: repair and undo in turn. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startService } from '../service-process.ts'
import { spreadOf, type Spread } from '../units.ts'
import type { Workspace } from '../workspace.ts'
import { runHoldfastJson } from './holdfast-json.ts'

export interface SwapFigures {
  /** By the service, from closing the tenant to having it open again. Only pauses in which it was changed. */
  readonly servicePauses: Spread
  /** As holdfast reports them. */
  readonly reportedPauses: Spread
  /** All pauses for snapshots. */
  readonly snapshotPauses: Spread
  /** A whole `repair --apply`. */
  readonly repairMs: Spread
}

const tenant = 'tenant'

/** @param damaged is moved into the folder of the service */
export async function measureSwaps(workspace: Workspace, damaged: string, changes: number): Promise<SwapFigures> {
  const inFolder = (name: string): string => join(workspace.folder, name)
  for (const name of ['files', 'snapshots', 'ledger', 'quarantine']) mkdirSync(inFolder(name), { mode: 0o700 })
  renameSync(damaged, join(inFolder('files'), `${tenant}.db`))
  await using service = await startService(inFolder('files'), inFolder('admin.sock'))
  const config = inFolder('holdfast.yaml')
  writeFileSync(
    config,
    `service: { name: bench, admin: "unix:${service.socket}" }
tenants: { roots: [${JSON.stringify(inFolder('files'))}] }
snapshots: { dir: ${JSON.stringify(inFolder('snapshots'))} }
ledger: { dir: ${JSON.stringify(inFolder('ledger'))} }
quarantine: { dir: ${JSON.stringify(inFolder('quarantine'))} }
`,
  )
  const [byService, reported, forSnapshots, whole]: [number[], number[], number[], number[]] = [[], [], [], []]
  const command = async (...args: readonly string[]): Promise<string> => {
    const { results, ms } = await runHoldfastJson(workspace, [
      'repair',
      '--tenant',
      tenant,
      '--config',
      config,
      ...args,
    ])
    const applied = results[0]?.applied
    const { pausesMs } = await service.figures()
    const ofChange = args.includes('--apply') ? 1 : 0 // The snapshot that is checked before a repair comes first.
    byService.push(...pausesMs.slice(ofChange, ofChange + 1))
    forSnapshots.push(...pausesMs.toSpliced(ofChange, 1))
    if (typeof applied?.pauseMs === 'number') reported.push(applied.pauseMs)
    if (args.includes('--apply')) whole.push(ms)
    return applied?.change ?? ''
  }
  for (let done = 0; done < changes && workspace.hasTime; done += 2) {
    workspace.report(`change ${done + 1} of ${changes}`)
    const change = await command('--apply')
    await command('--undo', change)
    rmSync(inFolder('quarantine'), { recursive: true, force: true })
    mkdirSync(inFolder('quarantine'), { mode: 0o700 })
  }
  const [servicePauses, reportedPauses, snapshotPauses, repairMs] = [byService, reported, forSnapshots, whole].map(
    spreadOf,
  ) as [Spread, Spread, Spread, Spread]
  return { servicePauses, reportedPauses, snapshotPauses, repairMs }
}
