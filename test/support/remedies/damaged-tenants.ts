/**
 * Tenants of the demo service that are damaged, and work all the same: transfers are made and acknowledged meanwhile.
 * Their state is read from copies that are taken while the service is stopped by a signal, as after a crash.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { tenantName } from '../../../scripts/demo/names.ts'
import { createTenantDatabase } from '../../../scripts/demo/notes/tenant-database.ts'
import { isWhole, verifyTenants } from '../../../scripts/demo/verify.ts'
import { damageNotesIndex, damageNotesTable } from '../../../scripts/demo/wounds.ts'
import { configure, type Holdfast } from '../cli/holdfast.ts'
import { startDemo, type Demo } from '../service/demo-service.ts'
import { examine, contentsOf, type RowsByKey } from './contents.ts'

/** `index`: a rebuild mends it. `table`: only a restore does, and there is a backup of each. */
export type TenantDamage = 'index' | 'table'

export interface DamagedTenants extends AsyncDisposable {
  readonly demo: Demo
  readonly holdfast: Holdfast
  readonly ids: readonly string[]
  readonly quarantine: string
  /** The state in which the files are now. */
  state(id: string): TenantState
  /** Files beside the live sets that no program but holdfast makes. */
  leftovers(): readonly string[]
}

interface TenantState {
  /** `old`: damaged as it was. `new`: sound, with all rows. `broken`: anything else. */
  readonly is: 'old' | 'new' | 'broken'
  /** What is wrong, for the message of a test. */
  readonly why: string
}

export interface DamagedTenantsOptions {
  readonly damage: TenantDamage
  readonly tenants: number
  readonly bytes?: number
  /** Transfers a second, of all tenants together. */
  readonly load: number
  readonly hold?: string
  /** As the demo service takes it. */
  readonly misbehave?: string
}

export async function openDamagedTenants(options: DamagedTenantsOptions): Promise<DamagedTenants> {
  const { damage, tenants, bytes = 60_000, load, hold = '{ ttl: 3s, drainTimeout: 1s }', misbehave = '' } = options
  await using cleanup = new AsyncDisposableStack()
  const home = mkdtempSync(join(tmpdir(), 'damaged-'))
  cleanup.defer(() => rmSync(home, { recursive: true, force: true }))
  const [dir, backups, quarantine, accounts] = ['tenants', 'backups', 'quarantine', 'accounts'].map((name) =>
    join(home, name),
  ) as [string, string, string, string]
  for (const path of [dir, backups, quarantine, accounts]) mkdirSync(path, { mode: 0o700 })
  const ids = Array.from({ length: tenants }, (_, at) => tenantName(at))
  const notes = new Map<string, RowsByKey>()
  for (const [at, id] of ids.entries()) {
    const file = join(dir, `${id}.db`)
    createTenantDatabase(file, { wal: at % 3 !== 2, fts: at % 2 === 0, bytes, pageSize: 4_096 }).close()
    notes.set(id, contentsOf(file).tables.get('notes') ?? new Map())
  }
  const more = [
    `backups: { dir: "${backups}" }`,
    `quarantine: { dir: "${quarantine}" }`,
    `accounts: { dir: "${accounts}" }`,
  ]
  if (damage === 'table') await keepBackups(dir, ids, more)
  for (const id of ids) (damage === 'index' ? damageNotesIndex : damageNotesTable)(join(dir, `${id}.db`))
  const demo = cleanup.use(await startDemo({ dir, tenants, load, misbehave }))
  const holdfast = configure(demo, { hold, more })
  const owned = cleanup.move()
  return {
    demo,
    holdfast,
    ids,
    quarantine,
    state: (id) => withStopped(demo.pid, () => stateOf(dir, id, damage, notes.get(id) ?? new Map())),
    leftovers: () => readdirSync(dir).filter((name) => name.includes('holdfast')),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** While the tenants are still sound. */
async function keepBackups(dir: string, ids: readonly string[], more: readonly string[]): Promise<void> {
  await using demo = await startDemo({ dir, tenants: ids.length })
  const { code, stderr } = await configure(demo, { more }).run('backups', 'add', ...ids)
  if (code !== 0) throw new Error(`backups add: exit code ${code}: ${stderr}`)
}

function withStopped<Result>(pid: number, work: () => Result): Result {
  process.kill(pid, 'SIGSTOP')
  try {
    return work()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

function stateOf(dir: string, id: string, damage: TenantDamage, notes: RowsByKey): TenantState {
  const folder = mkdtempSync(join(tmpdir(), 'state-'))
  try {
    for (const part of ['', '-wal', '-journal']) {
      const from = join(dir, `${id}.db${part}`)
      if (existsSync(from)) copyFileSync(from, join(folder, `${id}.db${part}`))
    }
    // Read after the database: a transfer is logged after its commit.
    if (existsSync(join(dir, 'acknowledged.log')))
      copyFileSync(join(dir, 'acknowledged.log'), join(folder, 'acknowledged.log'))
    return judge(folder, id, damage, notes)
  } catch (error) {
    return { is: 'broken', why: String(error) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function judge(folder: string, id: string, damage: TenantDamage, notes: RowsByKey): TenantState {
  recover(join(folder, `${id}.db`))
  const verified = verifyTenants(folder, [id])
  if (!verified.every(isWhole)) {
    const [one] = verified
    return { is: 'broken', why: `${one?.missing.length} acknowledged transfers are missing, sum ${one?.sum}` }
  }
  const examined = examineOrWhy(join(folder, `${id}.db`))
  if (typeof examined === 'string') return { is: damage === 'table' ? 'old' : 'broken', why: examined }
  const { integrity, contents } = examined
  const found = contents.tables.get('notes') ?? new Map<string, string>()
  // The service may have added some.
  const wrong = [...notes].filter(([key, values]) => found.get(key) !== values).length
  if (integrity.length === 0)
    return wrong === 0 ? { is: 'new', why: '' } : { is: 'broken', why: `${wrong} notes are wrong` }
  const others = integrity.filter(
    (line) => !(damage === 'index' ? /notes_title/ : /notes|Tree \d+ page|row/).test(line),
  )
  if (others.length > 0 || (damage === 'index' && wrong !== 0))
    return { is: 'broken', why: [...others, `${wrong} notes are wrong`].join('; ') }
  return { is: 'old', why: integrity.join('; ') }
}

/** A copy may have been taken within a transaction, and then has a hot journal. */
function recover(path: string): void {
  const database = new DatabaseSync(path)
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
  } finally {
    database.close()
  }
}

/** A table with an unreadable page cannot be read to its end. */
function examineOrWhy(path: string): ReturnType<typeof examine> | string {
  try {
    return examine(path)
  } catch (error) {
    return String(error)
  }
}
