/**
 * Kills `repair --apply` and `restore --apply` of tenants that work (SIGKILL), at random moments. Afterwards each
 * tenant serves, is wholly old or wholly new, and has lost no acknowledged write. The next run ends what the killed one
 * began.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandOfPid, descendantsOf, eventually, isRunning } from '../processes.ts'
import { examine } from './contents.ts'
import { openDamagedTenants, type DamagedTenants, type TenantDamage } from './damaged-tenants.ts'

export const killedCommands = {
  repair: { damage: 'index', args: ['repair', '--apply'] },
  restore: { damage: 'table', args: ['restore', '--merge-newer', '--apply'] },
} as const satisfies Record<string, { readonly damage: TenantDamage; readonly args: readonly string[] }>

export interface KillOptions {
  readonly command: keyof typeof killedCommands
  readonly kills: number
  /** From 0 to 1. */
  readonly random: () => number
  readonly report: (line: string) => void
}

export interface KillOutcome {
  /** Kills that met a paused tenant. */
  readonly met: number
  /** States after the kills. */
  readonly old: number
  readonly new: number
  readonly complaints: readonly string[]
}

const ttlMs = 3_000
/** For a service on a busy machine, which opens a tenant again. */
const reopenMs = 2_000
const tenantsOfService = 6
/** No pause of these small tenants takes as long. */
const pauseMs = 120

export async function killRemedies({ command, kills, random, report }: KillOptions): Promise<KillOutcome> {
  const { damage, args } = killedCommands[command]
  const outcome = { met: 0, old: 0, new: 0 }
  const complaints: string[] = []
  let done = 0
  while (done < kills) {
    await using tenants = await openDamagedTenants({ damage, tenants: tenantsOfService, load: 60 })
    const [first, ...others] = tenants.ids
    const startedAt = performance.now()
    complaints.push(...(await complaintsAboutRun(tenants, args, first ?? '')).map((line) => `without a kill: ${line}`))
    const wholeMs = performance.now() - startedAt
    for (const id of others.slice(0, kills - done)) {
      // Every second kill comes in the pause of the change, because no tenant is paused most of the time.
      const moment = done % 2 === 0 ? { afterMs: random() * wholeMs } : { inPauseMs: random() * pauseMs }
      const what = `kill ${done}, ${command} of ${id}, ${JSON.stringify(moment)}`
      const killed = await killAt(tenants, [...args, '--tenant', id], moment, wholeMs)
      if (killed.met) outcome.met++
      const now = tenants.state(id)
      if (now.is === 'broken') complaints.push(`${what}: ${now.why}`)
      else outcome[now.is]++
      complaints.push(...killed.complaints.map((line) => `${what}: ${line}`))
      // A sound tenant is restored only to a state that a person names (64).
      const codes = command === 'restore' && now.is === 'new' ? [0, 64] : [0]
      const next = await complaintsAboutRun(tenants, args, id, codes)
      complaints.push(...next.map((line) => `${what}, the next run: ${line}`))
      done++
      report(`${what}: ${now.is}${killed.met ? ', in a pause' : ''}; ${complaints.length} complaints so far`)
    }
    try {
      await tenants.demo.stopAndVerify()
    } catch (error) {
      complaints.push(`after all kills: ${String(error)}`)
    }
  }
  return { ...outcome, complaints }
}

type KillMoment = { readonly afterMs: number } | { readonly inPauseMs: number }

async function killAt(
  { demo, holdfast }: DamagedTenants,
  args: readonly string[],
  moment: KillMoment,
  wholeMs: number,
): Promise<{ readonly met: boolean; readonly complaints: readonly string[] }> {
  await using run = holdfast.start(...args, '--quiet')
  const comes =
    'afterMs' in moment ? sleep(moment.afterMs) : secondPause(demo, 2 * wholeMs).then(() => sleep(moment.inPauseMs))
  await Promise.race([comes, run.ended])
  const children = descendantsOf(run.pid)
  run.kill('SIGKILL')
  await run.ended
  const leases = await demo.service.leases(AbortSignal.timeout(60_000))
  const complaints: string[] = []
  const complainUnless = async (what: string, work: Promise<unknown>): Promise<void> => {
    await work.catch(() => complaints.push(`not true: ${what}`))
  }
  await Promise.all(
    demo.tenants.map((id) => complainUnless(`${id} serves within its TTL`, demo.servesAgain(id, ttlMs + reopenMs))),
  )
  for (const { pid, command } of children)
    await complainUnless(
      `${command} has ended`,
      eventually('it has ended', () => !isRunning(pid) || commandOfPid(pid) !== command),
    )
  return { met: leases.length > 0, complaints }
}

/** The first pause is for the snapshot, the second for the change. */
async function secondPause(demo: DamagedTenants['demo'], withinMs: number): Promise<void> {
  const until = performance.now() + withinMs
  const seen = new Set<string>()
  while (performance.now() < until && seen.size < 2) {
    for (const { leaseId } of await demo.service.leases(AbortSignal.timeout(60_000))) seen.add(leaseId)
    await sleep(3)
  }
}

/** A run without a kill: afterwards the tenant is new, and nothing of an earlier run is left. */
async function complaintsAboutRun(
  tenants: DamagedTenants,
  args: readonly string[],
  id: string,
  codes: readonly number[] = [0],
): Promise<readonly string[]> {
  const { code, stdout, stderr } = await tenants.holdfast.run(...args, '--tenant', id, '--json')
  const state = tenants.state(id)
  const status = await tenants.holdfast.run('status', '--json')
  const { openHolds } = JSON.parse(status.stdout) as { openHolds: readonly unknown[] }
  return [
    ...(codes.includes(code ?? -1) ? [] : [`exit code ${code}: ${stderr.slice(-600)} ${stdout.slice(0, 3_000)}`]),
    ...(state.is === 'new' ? [] : [`the tenant is ${state.is}: ${state.why}`]),
    ...(openHolds.length === 0 ? [] : [`${openHolds.length} holds are open`]),
    ...tenants.leftovers().map((name) => `left behind: ${name}`),
    ...complaintsAboutOriginals(tenants.quarantine, id),
  ]
}

/** Every kept original of the tenant can be opened and is damaged, and there is at least one. */
function complaintsAboutOriginals(quarantine: string, id: string): readonly string[] {
  const kept = readdirSync(quarantine, { recursive: true, encoding: 'utf8' })
    .map((name) => join(quarantine, name))
    .filter((path) => path.endsWith(`${id}.db`) && existsSync(path) && statSync(path).isFile())
  if (kept.length === 0) return ['there is no kept original']
  return kept.flatMap((path) => {
    try {
      return examine(path).integrity.length === 0 ? [`${path} is not the damaged original`] : []
    } catch (error) {
      return /malformed/.test(String(error)) ? [] : [`${path}: ${String(error)}`]
    }
  })
}
