/** A sweep of many small tenants that is killed in the middle, and the sweep that goes on with it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBenchTenants } from '../../scripts/bench/databases.ts'
import { memoryUseOf } from '../../scripts/bench/memory.ts'
import { startService, type BenchService } from '../../scripts/bench/service-process.ts'
import type { Report } from '../../src/model/result/report.ts'
import { startNode } from '../support/processes.ts'

export interface KilledSweep {
  /** Holds of the sweep that was killed, and of the one that went on. */
  readonly holds: readonly [killed: number, continued: number]
  /** Tenants that were held twice. */
  readonly repeated: number
  readonly report: Report
  readonly code: number | null
  /** Tenants a second, of the sweep that went on. */
  readonly rate: number
  /** The most bytes of all its processes, in the first and in the second half of the sweep that went on. */
  readonly memory: readonly [first: number, last: number]
}

const tenantBytes = 20_000

export async function killSweep(home: string, tenants: number, report: (line: string) => void): Promise<KilledSweep> {
  const files = join(home, 'files')
  mkdirSync(files)
  makeBenchTenants(files, tenants, tenantBytes)
  await using service = await startService(files, join(home, 'admin.sock'))
  const config = configurationIn(home, files, service)
  report(`${tenants} tenants are there; the first sweep is killed when half of them were held`)
  const killed = await killAtHalf(config, service, tenants)
  const holdsOfFirst = (await service.figures()).holds
  report(`killed after ${killed} holds; its guardian has made it ${holdsOfFirst}`)
  const beganMs = performance.now()
  await using program = startNode('bin/holdfast.js', ['sweep', '--continue', '--json', '--config', config])
  const samples: number[] = []
  const watching = setInterval(() => void samples.push(memoryUseOf(program.pid)?.pss ?? 0), 200)
  const { code, stdout } = await program.ended
  clearInterval(watching)
  const continued = (await service.figures()).holds - holdsOfFirst
  const half = Math.ceil(samples.length / 2)
  return {
    holds: [holdsOfFirst, continued],
    repeated: holdsOfFirst + continued - tenants,
    report: JSON.parse(stdout) as Report,
    code,
    rate: (continued * 1000) / (performance.now() - beganMs),
    memory: [Math.max(0, ...samples.slice(0, half)), Math.max(0, ...samples.slice(half))],
  }
}

async function killAtHalf(config: string, service: BenchService, tenants: number): Promise<number> {
  await using program = startNode('bin/holdfast.js', ['sweep', '--config', config])
  for (;;) {
    const { holds } = await service.figures()
    if (holds < tenants / 2) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      continue
    }
    process.kill(program.pid, 'SIGKILL')
    await program.ended
    return holds
  }
}

function configurationIn(home: string, files: string, { socket }: BenchService): string {
  for (const name of ['snapshots', 'ledger']) mkdirSync(join(home, name), { mode: 0o700 })
  const config = join(home, 'holdfast.yaml')
  const text = JSON.stringify({
    service: { name: 'bench', admin: `unix:${socket}` },
    tenants: { roots: [files] },
    snapshots: { dir: join(home, 'snapshots') },
    ledger: { dir: join(home, 'ledger') },
  })
  writeFileSync(config, text, { mode: 0o600 })
  return config
}
