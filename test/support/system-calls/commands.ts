/** The commands whose system calls are made to fail, and what each command needs. */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { descendantsRunning, eventually, repository, startProgram } from '../processes.ts'
import type { Role } from './injection.ts'
import { makeLauncher } from './programs.ts'
import type { Scene } from './scene.ts'
import type { Fault } from './strace.ts'

export interface TriedCommand {
  readonly name: string
  args(scene: Scene): readonly string[]
  /** The programs in which calls fail. */
  readonly roles: readonly Role[]
  /** Exit code if nothing fails. */
  readonly code: number
  /**
   * What it works on: files, a service with the admin API, a service with command hooks, damaged files that it may mend
   * (damaged-files.ts), or nothing.
   */
  readonly asks: 'files' | 'service' | 'hooks' | 'mended' | 'nothing'
  /**
   * `swept`: the ledger is as a sweep left it. `paused`: a run and its guardian were killed during a hold.
   */
  readonly before?: 'swept' | 'paused'
  /** Exit codes that it may have, if they are not those of most commands. */
  readonly codes?: readonly number[]
  /** The command itself is killed at this call, so its guardian ends the hold. */
  readonly dies?: Fault
}

const program = join(repository, 'bin/holdfast.js')
const config = ({ service }: Scene): readonly string[] => ['--config', service.config]
const atTheCopy = { call: 'copy_file_range', when: 1, path: null } as const

const children: readonly Role[] = ['main', 'probe', 'guardian', 'reader']

const ofFiles: readonly TriedCommand[] = [
  { name: 'check', args: (scene) => ['check', scene.in('files'), '--json'], roles: children, code: 2, asks: 'files' },
  {
    name: 'check-sound',
    args: (scene) => ['check', scene.in('files/wal.db')],
    roles: ['main', 'reader'],
    code: 0,
    asks: 'files',
  },
  {
    name: 'check-live',
    args: (scene) => ['check', '--live', scene.in('live/open.db'), '--json'],
    roles: children,
    code: 0,
    asks: 'files',
  },
  {
    name: 'check-copies',
    args: (scene) => ['check', '--snapshot', scene.in('files'), '--json'],
    roles: ['main', 'reader'],
    code: 2,
    asks: 'files',
  },
  {
    name: 'check-remembered',
    args: (scene) => ['check', scene.in('files/plain.db'), '--ledger', scene.in('ledger'), '--json'],
    roles: ['main', 'ledger'],
    code: 0,
    asks: 'files',
  },
  {
    name: 'compare',
    args: (scene) => ['compare', scene.in('files/plain.db'), scene.in('files/wal.db'), '--json'],
    roles: ['main', 'reader'],
    code: 5,
    asks: 'files',
  },
  // 3 even if nothing fails: the command may not read the process that traces it.
  {
    name: 'holders',
    args: (scene) => ['holders', scene.in('files/plain.db')],
    roles: ['main'],
    code: 3,
    asks: 'files',
    codes: [1, 3],
  },
]

const ofService: readonly Omit<TriedCommand, 'asks'>[] = [
  {
    name: 'check-tenant',
    args: (scene) => ['check', '--tenant', 'acme', '--json', ...config(scene)],
    roles: [...children, 'ledger'],
    code: 0,
  },
  { name: 'sweep', args: (scene) => ['sweep', ...config(scene)], roles: ['main', 'ledger'], code: 0, before: 'swept' },
  {
    name: 'resume',
    args: (scene) => ['resume', '--all', ...config(scene)],
    roles: ['main', 'ledger'],
    code: 0,
    before: 'paused',
  },
  {
    name: 'next-run',
    args: (scene) => ['check', '--tenant', 'bolt', '--json', ...config(scene)],
    roles: ['main'],
    code: 0,
    before: 'paused',
  },
  {
    name: 'killed',
    args: (scene) => ['check', '--tenant', 'acme', ...config(scene)],
    roles: ['guardian', 'resume'],
    code: 0,
    dies: { ...atTheCopy, what: 'signal=SIGKILL' },
  },
  {
    name: 'status',
    args: (scene) => ['status', ...config(scene)],
    roles: ['main', 'ledger'],
    code: 0,
    before: 'swept',
  },
  {
    name: 'status-nagios',
    args: (scene) => ['status', '--format', 'nagios', ...config(scene)],
    roles: ['main', 'ledger'],
    code: 0,
    before: 'swept',
    codes: [0, 1, 3], // 1: WARNING, because a copy of the configuration is used.
  },
  // 64: without a ledger the command knows no tenant.
  {
    name: 'history',
    args: (scene) => ['history', 'acme', '--json', ...config(scene)],
    roles: ['main', 'ledger'],
    code: 0,
    before: 'swept',
    codes: [0, 1, 64, 78],
  },
  // 64: without its folder no report is known.
  {
    name: 'report',
    args: (scene) => ['report', '--json', ...config(scene)],
    roles: ['main'],
    code: 0,
    before: 'swept',
    codes: [0, 1, 64, 78],
  },
  {
    name: 'report-page',
    args: (scene) => ['report', '--html', '--output', scene.in('made/page.html'), ...config(scene)],
    roles: ['main'],
    code: 0,
    before: 'swept',
    codes: [0, 1, 64, 78],
  },
  {
    name: 'bundle',
    args: (scene) => ['bundle', '--output', scene.in('made/bundle.tar.gz'), ...config(scene)],
    roles: ['main', 'ledger'],
    code: 0,
    before: 'swept',
    codes: [0, 1, 64, 78],
  },
  {
    name: 'pull',
    args: (scene) => ['pull', 'acme', scene.in('pulled'), ...config(scene)],
    roles: ['main', 'reader', 'ledger'],
    code: 0,
  },
  { name: 'doctor', args: (scene) => ['doctor', ...config(scene)], roles: children, code: 0 },
]

const store = (scene: Scene): readonly string[] => ['--backups', scene.in('backups')]

/** `plan`: no live file may be changed. All others leave the file as it was or wholly mended. */
const ofDamaged: readonly Omit<TriedCommand, 'asks'>[] = [
  {
    name: 'repair-plan',
    args: (scene) => ['repair', scene.in('mended/index.db'), '--json'],
    roles: ['main', 'mender'],
    code: 0,
  },
  {
    name: 'repair-apply',
    args: (scene) => ['repair', scene.in('mended/index.db'), '--apply', '--json'],
    roles: ['main', 'probe', 'guardian', 'mender'],
    code: 0,
  },
  {
    name: 'repair-in-place',
    args: (scene) => ['repair', scene.in('mended/index.db'), '--apply', '--method', 'in-place'],
    roles: ['main'],
    code: 0,
  },
  {
    name: 'restore-apply',
    args: (scene) => ['restore', scene.in('mended/table.db'), '--apply', ...store(scene), '--json'],
    roles: ['main', 'reader'],
    code: 0,
  },
  {
    name: 'restore-merge',
    args: (scene) => ['restore', scene.in('mended/table.db'), '--merge-newer', '--apply', ...store(scene), '--json'],
    roles: ['main', 'salvage', 'merge'],
    code: 0,
  },
  {
    name: 'salvage',
    args: (scene) => ['salvage', scene.in('mended/table.db'), '--to', scene.in('made/new.db'), '--json'],
    roles: ['main', 'salvage'],
    code: 2,
  },
  {
    name: 'backups-add',
    args: (scene) => ['backups', 'add', scene.in('files/plain.db'), '--backups', scene.in('made/backups'), '--json'],
    roles: ['main'],
    code: 0,
  },
  {
    name: 'backups-verify',
    args: (scene) => ['backups', 'verify', ...store(scene), '--json'],
    roles: ['main'],
    code: 0,
  },
]

export const commands: readonly TriedCommand[] = [
  ...ofFiles,
  ...ofService.map((command) => ({ ...command, asks: 'service' as const })),
  {
    name: 'sweep-hooks',
    args: (scene) => ['sweep', '--json', '--config', scene.hooked.config],
    roles: [...children, 'ledger'],
    code: 0,
    asks: 'hooks',
  },
  ...ofDamaged.map((command) => ({ ...command, asks: 'mended' as const })),
  { name: 'explain', args: () => ['explain', 'IN_USE'], roles: ['main'], code: 0, asks: 'nothing' },
]

export function commandNamed(name: string): TriedCommand {
  const command = commands.find((one) => one.name === name)
  if (!command) throw new Error(`unknown command: ${name}`)
  return command
}

/** Before each trial: empties the folders, and brings ledger and tenants into the state that the command needs. */
export async function prepareTrial(command: TriedCommand, scene: Scene): Promise<void> {
  for (const name of ['tmp', 'pulled', 'ledger', 'traced', 'made'])
    rmSync(scene.in(name), { recursive: true, force: true })
  for (const name of ['tmp', 'ledger', 'made']) mkdirSync(scene.in(name), { mode: 0o700 })
  if (command.asks === 'hooks') emptyLedger(scene.hooked.ledger)
  if (command.asks === 'mended') await scene.damaged.reset()
  if (command.asks !== 'service') return
  emptyLedger(scene.service.ledger)
  if (command.before === 'swept') await restoreSwept(scene)
  if (command.before === 'paused') await leavePaused(scene)
}

function emptyLedger(ledger: string): void {
  rmSync(ledger, { recursive: true, force: true })
  mkdirSync(ledger, { mode: 0o700 })
}

/** Copies the ledger of a sweep, which runs once for each scene. */
async function restoreSwept(scene: Scene): Promise<void> {
  const { ledger } = scene.service
  const saved = scene.in('swept')
  if (!existsSync(saved)) {
    const args = [program, 'sweep', '--quiet', ...config(scene)]
    await using sweep = startProgram(process.execPath, args, { TMPDIR: scene.in('tmp') })
    const { code, stderr } = await sweep.ended
    if (code !== 0) throw new Error(`a sweep without faults failed: ${code} ${stderr}`)
    cpSync(ledger, saved, { recursive: true })
  }
  rmSync(ledger, { recursive: true })
  cpSync(saved, ledger, { recursive: true, preserveTimestamps: true })
}

/** Kills a run and its guardian while the run copies, so that nothing resumes the tenant. */
async function leavePaused(scene: Scene): Promise<void> {
  const launcher = makeLauncher(scene.in('traced'), { main: { ...atTheCopy, what: 'signal=SIGSTOP' } })
  const args = [program, 'check', '--tenant', 'acme', '--quiet', ...config(scene)]
  await using run = startProgram(launcher, args, { TMPDIR: scene.in('tmp') })
  await eventually('a tenant is paused', () => scene.service.gate.stateOf('acme') === 'quiesced', 20_000)
  for (const pid of descendantsRunning(run.pid, 'guardian-child')) process.kill(pid, 'SIGKILL')
  run.kill('SIGKILL')
  await run.ended
  rmSync(scene.in('traced'), { recursive: true })
}
