/** No command changes a byte or a time of a live file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configure, type Holdfast } from '../support/cli/holdfast.ts'
import { footprint } from '../support/hold/expect-unlocked.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

describe('no byte and no time of an idle live set changes by', () => {
  let demo: Demo
  let holdfast: Holdfast
  beforeAll(async () => {
    demo = await startDemo({ tenants: 6, bytes: 40_000, load: 40, loaded: ['acme'] })
    holdfast = configure(demo, { hold: '{ ttl: 5s, warmAbove: 0B }' })
  })
  afterAll(() => demo[Symbol.asyncDispose]())

  it.each<readonly [string, () => readonly string[]]>([
    ['a sweep', () => ['sweep']],
    ['a quick sweep', () => ['sweep', '--depth', 'quick', '--max-paused', '3']],
    ['a check of two tenants', () => ['check', '--tenant', 'bolt', 'crate']],
    ['a check of bare files', () => ['check', demo.fileOf('bolt'), demo.fileOf('crate')]],
    ['the doctor', () => ['doctor', '--tenant', 'crate']],
    ['a pull', () => ['pull', 'bolt', `${demo.home}/pulled`]],
  ])('%s', async (_, words) => {
    const idle = demo.tenants.filter((tenant) => tenant !== 'acme').map((tenant) => demo.fileOf(tenant))
    const before = idle.map(footprint)
    await using program = holdfast.start(...words())
    const { code, stdout, stderr } = await program.ended
    expect(code, stdout + stderr).toBe(0)
    expect(idle.map(footprint)).toEqual(before)
    expect(holdfast.snapshotsLeft()).toEqual([])
  })
})
