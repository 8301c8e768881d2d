/** A hold that waits for disk space: nothing of it is open meanwhile, and everything is inspected anew afterwards. */
import { readdirSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unbounded, type HoldBounds } from '../../../src/hold/hold.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { mount, whySkipped, whyNoMount } from '../../support/host/mounts.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { startDemo, type Demo } from '../../support/service/demo-service.ts'

const whyNoTmpfs = whyNoMount('tmpfs')

let fixture: HoldFixture
let demo: Demo
let folder: ReturnType<typeof temporaryFolder>
beforeAll(async () => {
  ;[fixture, demo] = await Promise.all([openHoldFixture(), startDemo({ tenants: 2, bytes: 20_000 })])
  folder = temporaryFolder()
})
afterAll(async () => {
  folder[Symbol.dispose]()
  await demo[Symbol.asyncDispose]()
  await fixture[Symbol.asyncDispose]()
})

/** There is no room at first; `meanwhile` happens before there is. */
function boundsThatWait(meanwhile: () => void | Promise<void>): HoldBounds & { readonly asked: number[] } {
  const asked: number[] = []
  return {
    ...unbounded,
    asked,
    reserve: (bytes) => {
      asked.push(bytes)
      return asked.length === 1 ? Promise.resolve().then(meanwhile) : null
    },
  }
}

function countDescriptors(path: string): number {
  return readdirSync('/proc/self/fd').filter((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`).startsWith(path)
    } catch {
      return false // That of the listing itself is closed by now.
    }
  }).length
}

test('after the wait, the file is the one that its name leads to then, with the space that it needs', async () => {
  const [old, fresh, name] = ['old.db', 'fresh.db', 'current.db'].map((file) => folder.file(file)) as [
    string,
    string,
    string,
  ]
  create(old, 4096, fillEvents(10))
  create(fresh, 4096, fillEvents(900))
  symlinkSync(old, name)
  let openMeanwhile = -1
  const bounds = boundsThatWait(() => {
    openMeanwhile = countDescriptors(folder.path)
    symlinkSync(fresh, `${name}.new`)
    renameSync(`${name}.new`, name)
  })
  const held = await fixture.holdBare(name, { bounds })
  if (held.kind !== 'snapshot') throw held.failure
  await using snapshot = held.snapshot
  expect(openMeanwhile).toBe(0)
  expect(bounds.asked[1]).toBe(snapshot.bytes)
  expect(bounds.asked[1]).toBeGreaterThan(bounds.asked[0] ?? Infinity)
})

test('a tenant that another holder has quiesced by then is left alone', async () => {
  const request = { holder: 'another', reason: 'a test', ttlMs: 20_000, maxHoldMs: 20_000, drainTimeoutMs: 1_000 }
  const leases: { readonly fence: number | null; readonly leaseId: string }[] = []
  const bounds = boundsThatWait(async () => {
    leases.push(await demo.service.quiesce(tenantId('acme'), request, AbortSignal.timeout(60_000)))
  })
  const held = await fixture.holdTenant(demo, 'acme', { bounds })
  expect(held).toMatchObject({ kind: 'undecided', failure: { code: 'SERVICE_BUSY', tenantState: 'untouched' } })
  const [lease] = await demo.service.leases(AbortSignal.timeout(60_000))
  expect(lease).toMatchObject({ holder: 'another', fence: leases[0]?.fence })
  await demo.service.resume(
    { tenant: tenantId('acme'), leaseId: leases[0]?.leaseId ?? '', fence: leases[0]?.fence ?? null },
    AbortSignal.timeout(60_000),
  )
})

test('a hold that is interrupted while it waits ends, and has asked the service for nothing', async () => {
  const interrupt = new AbortController()
  const steps: string[] = []
  const bounds = boundsThatWait(() => interrupt.abort(new Error('enough')))
  await expect(
    fixture.holdTenant(demo, 'bolt', { bounds, signal: interrupt.signal, onStep: (step) => steps.push(step) }),
  ).rejects.toThrow('enough')
  expect(steps).toEqual(['preflight'])
  expect([countDescriptors(demo.dir), fixture.remainingFiles()]).toEqual([0, []])
})

test.skipIf(whyNoTmpfs !== null)(
  `what can never fit is refused immediately, so that no other hold waits behind it${whySkipped(whyNoTmpfs)}`,
  async () => {
    using small = mount('tmpfs', 1 << 20)
    const huge = folder.file('huge.db')
    create(huge, 4096, fillEvents(10))
    const bounds = boundsThatWait(() => undefined)
    expect(await fixture.holdBare(huge, { bounds, folder: small.path })).toMatchObject({
      kind: 'refused',
      failure: { code: 'NO_SPACE', tenantState: 'untouched' },
    })
    expect(bounds.asked).toEqual([])
  },
)

test('a file that is no database waits for nothing either, and its file system is reported', async () => {
  const empty = folder.file('empty.db')
  writeFileSync(empty, '')
  const bounds = boundsThatWait(() => undefined)
  const held = await fixture.holdBare(empty, { bounds })
  expect(held).toMatchObject({ kind: 'undecided', failure: { code: 'EMPTY_FILE' } })
  expect([held.record.evidence.fileSystem === null, bounds.asked]).toEqual([false, []])
})
