/**
 * What belongs to the inode stays what it was; and who else is in the folder, or has the file open, cannot be harmed.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, it } from 'vitest'
import { findChanges } from '../../../src/hold/change/recovery/find-changes.ts'
import { callByNumber } from '../../../src/host/libc.ts'
import { undoFlow } from '../../support/hold/change-flow.ts'
import { useChangeScene } from '../../support/hold/change-scene.ts'
import { bytesInState, contentOf, readSet, writeSet } from '../../support/hold/changes.ts'
import { bind, mount, whyNoBind, whyNoMount, whySkipped } from '../../support/host/mounts.ts'
import { startOtherProcess } from '../../support/host/other-process.ts'

const isRoot = process.geteuid?.() === 0
const notRoot = isRoot ? '' : ' (skipped: not root)'

/** Read and write for the owner, read for user 1234, nothing for others; the mask allows both. */
const accessList = Buffer.from(
  '0200000001000600ffffffff02000400d204000004000400ffffffff10000600ffffffff20000000ffffffff',
  'hex',
)

function setExtended(file: string, name: string, value: Buffer): void {
  const descriptor = openSync(file, 'r+')
  try {
    callByNumber('fsetxattr', { x64: 190, arm64: 7 }, descriptor, Buffer.from(`${name}\0`), value, value.length, 0)
  } finally {
    closeSync(descriptor)
  }
}

function extendedOf(file: string, name: string): string {
  const descriptor = openSync(file, 'r')
  const value = Buffer.alloc(1_000)
  try {
    const length = callByNumber(
      'fgetxattr',
      { x64: 193, arm64: 10 },
      descriptor,
      Buffer.from(`${name}\0`),
      value,
      1_000,
    )
    return value.toString('hex', 0, length)
  } finally {
    closeSync(descriptor)
  }
}

describe('a changed file', () => {
  const scene = useChangeScene()
  const { common, flow } = scene
  let folder = ''
  let file = ''
  beforeEach(() => {
    ;({ folder, file } = scene.begin())
    writeSet(file, bytesInState('wal', 60))
  })
  const reasonOf = (outcome: Awaited<ReturnType<typeof flow>>['outcome']): string =>
    outcome.kind === 'unchanged' ? `${outcome.failure.code}: ${outcome.failure.message}` : outcome.kind

  it.skipIf(!isRoot)(`keeps owner, mode, access list and attributes, both ways${notRoot}`, async () => {
    chownSync(file, 1001, 1002)
    chmodSync(file, 0o640)
    setExtended(file, 'system.posix_acl_access', accessList)
    setExtended(file, 'user.note', Buffer.from('of the operator'))
    setExtended(file, 'security.holdfast', Buffer.from('label'))
    const seen = () => {
      const { uid, gid, mode } = statSync(file)
      const names = ['system.posix_acl_access', 'user.note', 'security.holdfast']
      return { uid, gid, mode, extended: names.map((name) => extendedOf(file, name)) }
    }
    const before = seen()
    const done = await flow()
    expect(reasonOf(done.outcome)).toBe('applied')
    expect(seen()).toEqual(before)
    for (const name of readdirSync(join(scene.fixture.home, 'quarantine', done.change)))
      expect(statSync(join(scene.fixture.home, 'quarantine', done.change, name)).mode & 0o777).toBe(0o600)
    expect((await undoFlow(common(), done.change)).kind).toBe('applied')
    expect(seen()).toEqual(before)
    for (const part of ['-wal']) expect(statSync(file + part).uid).toBe(1001)
  })

  it.skipIf(!isRoot)(`gets no access list that its folder hands on${notRoot}`, async () => {
    const descriptor = openSync(folder, 'r')
    const list = Buffer.from('system.posix_acl_default\0')
    callByNumber('fsetxattr', { x64: 190, arm64: 7 }, descriptor, list, accessList, accessList.length, 0)
    closeSync(descriptor)
    chmodSync(file, 0o600)
    expect(reasonOf((await flow()).outcome)).toBe('applied')
    expect(() => extendedOf(file, 'system.posix_acl_access')).toThrow('ENODATA')
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('keeps a mode that was changed between the rehearsal and the pause', async () => {
    chmodSync(file, 0o600)
    rmSync(`${file}-wal`)
    const done = await flow({ between: () => chmodSync(file, 0o644) })
    expect(reasonOf(done.outcome)).toBe('applied')
    expect(statSync(file).mode & 0o777).toBe(0o644)
  })

  it('is not changed if it has got a second name', async () => {
    const outcome = (await flow({ between: () => linkSync(file, join(folder, 'second')) })).outcome
    expect(reasonOf(outcome)).toContain('MANY_NAMES')
  })

  it('is not changed while another program has it open', async () => {
    const old = contentOf(file)
    await using other = await startOtherProcess()
    const outcome = (
      await flow({
        between: async () => {
          await other.open(file, 'read')
        },
      })
    ).outcome
    expect(reasonOf(outcome)).toContain('IN_USE')
    expect(contentOf(file)).toBe(old)
    expect(readdirSync(folder).filter((name) => name.startsWith('.holdfast-'))).toEqual([])
  })

  it('does not follow a link that was put in the place of a name of ours', async () => {
    const victim = join(scene.fixture.home, 'victim')
    writeFileSync(victim, 'of another user')
    const names = new Set<string>()
    const done = await flow({
      between: () => {
        for (const { record } of findChanges(common().place)) names.add(record.change)
        for (const change of names)
          for (const what of ['mended', 'settled']) symlinkSync(victim, join(folder, `.holdfast-${change}-1-${what}`))
      },
    })
    expect(names.size).toBe(1)
    expect(reasonOf(done.outcome)).toMatch(/^READ_FAILED: cannot make/)
    expect(readFileSync(victim, 'utf8')).toBe('of another user')
    expect(contentOf(file)).toContain('committed')
  })

  it('does not believe a record that another user wrote, or that names a path', () => {
    const quarantine = join(scene.fixture.home, 'quarantine')
    const kept = join(quarantine, '01M8HBGZ8RWHH8WDCWJ0187DYB')
    mkdirSync(kept, { recursive: true, mode: 0o700 })
    chmodSync(quarantine, 0o700)
    writeFileSync(join(kept, 'change.json'), '{"schema":"holdfast.change/1"}', { mode: 0o600 })
    expect(findChanges({ kind: 'quarantine', folder: quarantine })).toEqual([])
  })

  const noBind = whyNoBind()
  it.skipIf(noBind !== null)(`is overwritten in place if it is mounted by itself${whySkipped(noBind)}`, async () => {
    const inside = join(scene.fixture.home, 'inside')
    mkdirSync(inside, { recursive: true })
    const mounted = join(inside, 'mounted.db')
    rmSync(mounted, { force: true })
    writeSet(file, bytesInState('delete', 60))
    writeFileSync(mounted, '')
    using _bound = bind(file, mounted)
    await sleep(1_100) // The list of mounts is read anew after a second.
    const [before, old] = [readSet(file), contentOf(file)]
    expect(
      reasonOf(
        (
          await flow({ files: [mounted] }).catch(
            (error: unknown) => ({ outcome: { kind: 'unchanged', failure: error } }) as never,
          )
        ).outcome,
      ),
    ).toContain('MANY_NAMES')
    const done = await flow({ files: [mounted], method: 'in-place' })
    expect(reasonOf(done.outcome)).toBe('applied')
    expect(contentOf(file)).not.toBe(old)
    expect((await undoFlow(common(), done.change)).kind).toBe('applied')
    expect(readSet(file)).toEqual(before)
    expect(existsSync(`${mounted}-journal`)).toBe(false)
  })

  it.skipIf(noBind !== null).each(['wal', 'delete-hot'] as const)(
    'is not overwritten in place where its other name has a WAL or a journal: %s',
    async (state) => {
      const inside = join(scene.fixture.home, 'inside')
      mkdirSync(inside, { recursive: true })
      const mounted = join(inside, 'mounted.db')
      writeSet(file, bytesInState(state))
      writeFileSync(mounted, '')
      using _bound = bind(file, mounted)
      await sleep(1_100) // The list of mounts is read anew after a second.
      const before = readSet(file)
      await expect(flow({ files: [mounted], method: 'in-place' })).rejects.toMatchObject({ code: 'MANY_NAMES' })
      expect(readSet(file)).toEqual(before)
    },
  )

  const noTmpfs = whyNoMount('tmpfs')
  it.skipIf(noTmpfs !== null)(`is not changed without room for the original${whySkipped(noTmpfs)}`, async () => {
    using small = mount('tmpfs', 18 << 20)
    chmodSync(small.path, 0o700)
    const old = contentOf(file)
    writeFileSync(join(small.path, 'filler'), Buffer.alloc(2 << 20))
    await expect(flow({ place: { kind: 'quarantine', folder: join(small.path, 'q') } })).rejects.toMatchObject({
      code: 'NO_SPACE',
      message: expect.stringContaining('no room for the original') as string,
    })
    expect(contentOf(file)).toBe(old)
    expect(readdirSync(join(small.path, 'q'))).toEqual([])
  })

  it('is not overwritten in place with pages of another size', async () => {
    writeSet(file, bytesInState('delete', 60))
    const { rehearse } = await import('../../support/hold/changes.ts')
    const done = await flow({
      method: 'in-place',
      mend: (snapshot) => rehearse(snapshot, 'pragma page_size = 4096; vacuum'),
    })
    expect(reasonOf(done.outcome)).toMatch(/^REMEDY_REFUSED: .*page size/)
    const db = new Database(file)
    expect(db.pragma('page_size', { simple: true })).toBe(1024)
    db.close()
  })
})
