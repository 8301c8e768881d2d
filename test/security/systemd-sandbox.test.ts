/**
 * The sandbox of `install systemd`, made without systemd: the same rights, and all folders read-only but those that the
 * unit names. A sweep in it must prove as much as outside.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdfast, launcher, otherUser, whyNoOtherUser } from '../support/cli/program.ts'
import { openService, type TestService } from '../support/cli/service.ts'

const isRoot = process.geteuid?.() === 0
const canSandbox =
  isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0 && spawnSync('setpriv', ['--version']).status === 0

const unitOf = async (service: TestService): Promise<readonly string[]> => {
  const { stdout } = await holdfast(['install', 'systemd', '--config', service.config])
  return stdout.split('\n')
}
const valuesOf = (unit: readonly string[], key: string): readonly string[] =>
  unit.flatMap((line) => (line.startsWith(`${key}=`) ? line.slice(key.length + 1).split(' ') : []))

/** `$1`: how many folders are written; then these, and the command. */
const readOnlyBut = `set -e; n=$1; shift
mount --make-rprivate /
while [ "$n" -gt 0 ]; do mount --bind "$1" "$1"; shift; n=$((n-1)); done
mount -o remount,bind,ro /
exec "$@"`

interface SweepResult {
  readonly code: number
  readonly results: readonly {
    readonly verdict: string
    readonly level: string
    readonly failure: string | undefined
  }[]
}

async function sweepIn(command: readonly string[], service: TestService): Promise<SweepResult> {
  const words = [process.execPath, launcher, 'sweep', '--json', '--config', service.config]
  const child = spawn('env', [...command, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (data: string) => (text += data))
  const [code] = (await once(child, 'close')) as [number]
  const { results } = JSON.parse(text) as {
    readonly results: readonly {
      readonly verdict: string
      readonly evidence: { readonly level: string }
      readonly failure: { readonly code: string } | null
    }[]
  }
  return {
    code,
    results: results.map(({ verdict, evidence, failure }) => ({
      verdict,
      level: evidence.level,
      failure: failure?.code,
    })),
  }
}

const soundTwice = Array.from({ length: 2 }, () => ({ verdict: 'sound', level: 'sealed', failure: undefined }))

test.skipIf(!canSandbox)(
  'root in the sandbox of the unit proves as much as outside (skipped without root, mount namespaces and setpriv)',
  async () => {
    await using service = await openService()
    const unit = await unitOf(service)
    const rights = valuesOf(unit, 'CapabilityBoundingSet').map((name) => `+${name.slice('CAP_'.length).toLowerCase()}`)
    const folders = valuesOf(unit, 'ReadWritePaths')
    expect(folders).toContain(service.data)
    const sandbox = ['unshare', '--mount', 'sh', '-c', readOnlyBut, 'sh', String(folders.length), ...folders]
    const limited = ['setpriv', '--no-new-privs', '--bounding-set', `-all,${rights.join(',')}`]
    expect(await sweepIn([...sandbox, ...limited], service)).toEqual({ code: 0, results: soundTwice })
  },
)

test.skipIf(!canSandbox || whyNoOtherUser() !== null)(
  'another user needs CAP_LEASE for files that belong to root (skipped without root, or if no other user may run this)',
  async () => {
    await using service = await openService()
    giveTo(service, otherUser ?? { uid: 0, gid: 0 })
    for (const name of readdirSync(service.data)) chmodSync(join(service.data, name), 0o666)
    const user = otherUser ?? { uid: 0, gid: 0 }
    const as = ['setpriv', '--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups']
    const lease = ['--inh-caps', '-all,+lease', '--ambient-caps', '-all,+lease', '--bounding-set', '-all,+lease']
    expect(await sweepIn([...as, ...lease], service)).toEqual({ code: 0, results: soundTwice })
    const without = await sweepIn(as, service)
    expect(without.code).not.toBe(0)
    expect(without.results.map(({ failure }) => failure)).toEqual(['LEASE_UNAVAILABLE', 'LEASE_UNAVAILABLE'])
  },
)

/** Everything but the databases themselves. */
function giveTo(service: TestService, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  for (const path of [service.snapshots, service.ledger, service.data]) chownSync(path, uid, gid)
  chmodSync(service.socket, 0o666)
  chmodSync(service.folder.in('.'), 0o755)
  chmodSync(service.config, 0o644)
}
