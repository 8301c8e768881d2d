import { describe, expect, test } from 'vitest'
import { reportOutcomes } from '../../../src/cli/run/report-holds.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { Failure } from '../../../src/model/failure.ts'
import { failureToResume, type OpenHoldOutcome } from '../../../src/runs/open-holds/open-holds.ts'
import { openHookedService } from '../../support/cli/hooked-service.ts'
import { resultOf, holdfast, killWithGuardian, start, type RunningProgram } from '../../support/cli/program.ts'

describe('`resume --all` says each thing once', () => {
  test('of a tenant that serves again', async () => {
    let sweeping: RunningProgram | null = null
    await using service = await openHookedService({
      tenants: { acme: { wal: true } },
      onPause: () => killWithGuardian(sweeping),
    })
    sweeping = start(['sweep', '--config', service.config])
    await resultOf(sweeping)
    sweeping = null
    const ran = await holdfast(['resume', '--all', '--config', service.config])
    expect(ran).toEqual({ code: 0, stdout: '', stderr: 'an earlier run left a hold on acme open; it serves again\n' })
  })

  test('of tenants that do not, and of several holds of one', () => {
    const ended = (tenant: string, why: string | null): OpenHoldOutcome => ({
      hold: {
        holder: 'h',
        run: newRunId(),
        tenant: tenantId(tenant),
        askedAt: 0,
        endsBy: 1,
        leaseId: null,
        fence: null,
      },
      how: why === null ? 'resumed' : null,
      failure: why === null ? null : new Failure('RESUME_FAILED', why),
      complaint: null,
      unwritten: null,
    })
    const endings = [
      ended('acme', null),
      ended('acme', null),
      ended('bolt', 'bolt was not seen serving'),
      ended('crate', 'it hangs up'),
      ended('door', 'it hangs up'),
      ended('door', 'it hangs up'),
    ]
    const said: string[] = []
    reportOutcomes({ say: (sentence) => void said.push(sentence) }, endings)
    expect([...said, failureToResume(endings)?.message]).toEqual([
      'an earlier run left a hold on acme open; it serves again',
      '4 holds of earlier runs have not ended: bolt was not seen serving; crate, door: it hangs up',
    ])
  })
})
