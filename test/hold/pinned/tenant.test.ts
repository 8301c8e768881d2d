/** Pinned snapshots of a service's tenants: no pause, no request, and no intent in the ledger. */
import { expect, it } from 'vitest'
import { useHold } from '../../support/hold-set-up.ts'
import { eventually } from '../../support/processes.ts'

const hold = useHold({ tenants: 3, bytes: 20_000, load: 30, loaded: ['acme'] })

it('a tenant is checked while its service writes, and the service is not asked', async () => {
  const steps: string[] = []
  const events: string[] = []
  const options = {
    settings: { require: 'pinned' },
    onStep: (step: string) => void steps.push(step),
    unwritten: ({ kind }: { readonly kind: string }) => (events.push(kind), false),
  } as const
  const examined = await eventually('the service has the file open', async () => {
    const { result, open } = await hold.fixture.examine(hold.demo, 'acme', options)
    return result?.evidence.pin?.branch === 'wal' && { result, open }
  })
  expect(examined).toMatchObject({
    result: {
      verdict: 'sound',
      timings: { pauseMs: null },
      evidence: { level: 'pinned', quiesce: null, lease: null, pin: { lastSeenConnected: true } },
    },
    open: [],
  })
  expect(steps).not.toContain('asked')
  expect(steps).not.toContain('quiesced')
  expect(events.filter((kind) => kind.startsWith('hold-'))).toEqual([])
  expect(await hold.demo.status('acme')).toMatchObject({ state: 'active', healthy: true })
})
