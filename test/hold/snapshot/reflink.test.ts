/** On a file system that shares blocks, the pause copies no byte of the database file, in any journal mode. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { mount, whyNoMount, type MountedFolder } from '../../support/host/mounts.ts'
import { startDemo, type Demo } from '../../support/service/demo-service.ts'

const noXfs = whyNoMount('xfs')

describe.skipIf(noXfs !== null)(`a hold on xfs${noXfs === null ? '' : ` (skipped: ${noXfs})`}`, () => {
  let xfs: MountedFolder
  let fixture: HoldFixture
  let demo: Demo
  let folder: string
  beforeAll(async () => {
    xfs = mount('xfs', 0)
    folder = join(xfs.path, 'snapshots')
    mkdirSync(folder, { mode: 0o700 })
    fixture = await openHoldFixture()
    // acme keeps a WAL, crate a rollback journal.
    demo = await startDemo({ dir: join(xfs.path, 'data'), tenants: 3, bytes: 3_000_000, load: 50 })
  })
  afterAll(async () => {
    await demo[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
    xfs[Symbol.dispose]()
  })

  it.each([
    ['acme', 0],
    ['acme', 1e9],
    ['crate', 0],
    ['crate', 1e9],
  ] as const)('shares the blocks of %s and is sound (warm above %i bytes)', async (tenant, warmAboveBytes) => {
    const { result } = await fixture.examine(demo, tenant, { folder, settings: { warmAboveBytes } })
    expect(result, result?.failure?.message).toMatchObject({
      verdict: 'sound',
      evidence: { level: 'sealed', fileSystem: 'xfs', snapshot: { method: 'reflink' } },
    })
    expect((await demo.status(tenant)).state).toBe('active')
  })

  it('loses no transfer', async () => {
    expect(await demo.stopAndVerify()).toBeGreaterThan(0)
  })
})
