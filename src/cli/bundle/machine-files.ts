/** What a bundle has of this machine, of the service, and of the configuration. */
import { arch, platform, release, version as kernelVersion } from 'node:os'
import type { Settings } from '../../config/settings.ts'
import { examineBesideRuns } from '../../doctor/doctor.ts'
import { fileSystemOf } from '../../host/files/file-system.ts'
import { Failure } from '../../model/failure.ts'
import { maskedSettings } from '../../report/bundle/masked-settings.ts'
import { connectService } from '../../service/connect.ts'
import { jsonFile, type BundleFile } from './bundle-file.ts'

/** How long the service and the doctor may take. */
const askingMs = 60_000

export interface MachineFiles {
  readonly files: readonly BundleFile[]
  /** What could not be had, and why. */
  readonly missing: readonly string[]
}

/** @param tool what holdfast and the report say of their versions */
export async function machineFiles(
  settings: Settings,
  tool: { readonly holdfast: string; readonly sqlite: string },
  interrupt: AbortSignal,
): Promise<MachineFiles> {
  const signal = AbortSignal.any([interrupt, AbortSignal.timeout(askingMs)])
  const missing: string[] = []
  const orMissing = async <Value>(what: string, work: () => Promise<Value>): Promise<Value | null> => {
    try {
      return await work()
    } catch (error) {
      if (interrupt.aborted || !(error instanceof Failure || signal.aborted)) throw error
      const why = error instanceof Failure ? `${error.code}: ${error.message}` : `no answer in ${askingMs / 1000} s`
      missing.push(`${what}: ${why}`)
      return null
    }
  }
  const capabilities = await orMissing('What the service says of itself', () => capabilitiesOf(settings, signal))
  const fitness = await orMissing("The doctor's findings", () => examineBesideRuns(settings, signal))
  const files = [
    jsonFile('versions.json', 'Versions of holdfast, Node.js, SQLite and the kernel.', {
      ...tool,
      node: process.version,
      platform: platform(),
      arch: arch(),
      kernel: release(),
      kernelVersion: kernelVersion(),
    }),
    jsonFile('mounts.json', 'The file system of each folder in the configuration.', await mountsOf(settings)),
    jsonFile(
      'configuration.json',
      'The settings with all defaults. Secrets and what may be one are not shown.',
      maskedSettings(settings),
    ),
    ...(capabilities === null
      ? []
      : [jsonFile('service.json', 'What the service said of itself when the bundle was made.', capabilities)]),
    ...(fitness === null
      ? []
      : [
          jsonFile('doctor.json', 'What `holdfast doctor` found when the bundle was made; it paused no tenant.', {
            schema: 'holdfast.fitness/1',
            steps: fitness.steps,
          }),
        ]),
  ]
  return { files, missing }
}

async function capabilitiesOf({ service }: Settings, signal: AbortSignal): Promise<unknown> {
  await using connected = await connectService(service, () => undefined)
  return await connected.capabilities(signal)
}

async function mountsOf({ tenants, snapshots, ledger, backups, quarantine }: Settings): Promise<readonly object[]> {
  const folders = [
    ...tenants.roots.map((path) => ['tenants.roots', path] as const),
    ['snapshots.dir', snapshots.dir] as const,
    ['ledger.dir', ledger.dir] as const,
    ['quarantine.dir', quarantine.dir] as const,
    ...(backups === null ? [] : [['backups.dir', backups.dir] as const]),
  ]
  return Promise.all(
    folders.map(async ([setting, path]) => {
      try {
        return { setting, path, ...(await fileSystemOf(path)) }
      } catch (error) {
        return { setting, path, failure: error instanceof Error ? error.message : String(error) }
      }
    }),
  )
}
