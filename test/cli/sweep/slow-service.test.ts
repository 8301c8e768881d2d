/** A slow service, and a configuration that allows for it. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { shortVerdict, holdfast, reportIn } from '../../support/cli/program.ts'
import { openScriptedService, overlapsIn } from '../../support/cli/scripted-service.ts'
import { openService } from '../../support/cli/service.ts'

test.concurrent('the guardian does not end a run that waits for an answer as long as it may (F13)', async () => {
  // Longer than the lease that is asked for: nothing is locked while the answer is waited for.
  await using service = await openService({
    onClose: (id) => (id === 'acme' ? sleep(13_000) : undefined),
    limits: { closeMsMax: 30_000 },
    settings: { service: { requestTimeout: '30s' }, hold: { ttl: '11s', drainTimeout: '100ms' } },
  })
  const ran = await holdfast(['check', '--json', '--tenant', 'acme', '--config', service.config])
  // A lease counts from when it was asked for, so this one is of no use any more. That is said, and the tenant resumed.
  expect([ran.code, ran.stderr]).toEqual([3, ''])
  expect(reportIn(ran).results.map(shortVerdict)).toEqual(['inconclusive LEASE_LOST'])
  expect(service.actions).toEqual(['close acme', 'open acme'])
})

/** Longer than any time that was once fixed around a call, and shorter than what is configured. */
const slowMs = 10_500
const slow = `sleep ${slowMs / 1_000}`

test.concurrent('a resume command takes the time that it is allowed, and is started once', async () => {
  using service = openScriptedService({ tenants: ['acme'], resume: slow, timeout: '60s' })
  const ran = await service.run('sweep', '--json')
  expect(reportIn(ran).results.map(shortVerdict), ran.stderr).toEqual(['sound'])
  expect(service.commandEvents().map(({ what, phase }) => `${what} ${phase}`)).toEqual([
    'pause begins',
    'pause ends',
    'resume begins',
    'resume ends',
  ])
  expect([service.paused(), overlapsIn(service.commandEvents())]).toEqual([[], []])
})

test.concurrent('a list of tenants takes the time that it is allowed: the tenant is seen serving', async () => {
  using service = openScriptedService({ tenants: ['acme'], timeout: '60s' })
  // From the resume on, so that the one look after it is slow, and not the run before.
  service.let('resume', `echo '${slow}' > tenants.sh`)
  const ran = await service.run('sweep', '--json')
  expect([ran.code, reportIn(ran).results.map(shortVerdict)], ran.stderr).toEqual([0, ['sound']])
})

/**
 * Passes on what a service is asked and what it answers, the answer to a resume so much later. The service itself has
 * long gone on.
 */
async function openSlowWay(
  to: string,
  lateMs: (resume: number) => number,
): Promise<AsyncDisposable & { readonly socket: string }> {
  const socket = `${to}.slow`
  let resumes = 0
  const server = createServer((asked, answer) => {
    const late = asked.method === 'DELETE' ? lateMs(resumes++) : 0
    const { method, url: path, headers } = asked
    asked.pipe(
      request({ socketPath: to, method, path, headers }, (answered) => {
        setTimeout(() => {
          answer.writeHead(answered.statusCode ?? 500, answered.headers)
          answered.pipe(answer)
        }, late)
      }),
    )
  }).listen(socket)
  await once(server, 'listening')
  return {
    socket,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => {
        server.close(closed)
      })
    },
  }
}

test.concurrent.each([
  ['takes the time that it is allowed', '60s', () => slowMs],
  [
    'does not come in time, and is asked for again once the tenant serves',
    '1s',
    (resume: number) => (resume < 2 ? 5_000 : 0),
  ],
] as const)('a service whose answer to the resume %s: the snapshot counts', async (_, requestTimeout, lateMs) => {
  await using service = await openService({ settings: { hold: { ttl: '60s' } } })
  await using way = await openSlowWay(service.socket, lateMs)
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as { readonly service: object }
  writeFileSync(
    service.config,
    JSON.stringify({ ...settings, service: { ...settings.service, admin: `unix:${way.socket}`, requestTimeout } }),
  )
  const ran = await holdfast(['check', '--json', '--tenant', 'acme', '--config', service.config])
  expect([ran.code, reportIn(ran).results.map(shortVerdict)], ran.stderr).toEqual([0, ['sound']])
  expect(service.actions).toEqual(['close acme', 'open acme'])
})

test.concurrent('a resume command that takes too long is not started again: exit 4, with what to do', async () => {
  using service = openScriptedService({ tenants: ['acme', 'bolt'], resume: 'sleep 30', timeout: '2s' })
  const ran = await service.run('sweep', '--json')
  const report = reportIn(ran)
  expect([ran.code, report.results.map(shortVerdict), service.paused().length]).toEqual([
    4,
    ['inconclusive RESUME_FAILED'],
    1,
  ])
  expect(report.results[0]?.failure?.message).toMatch(/did not end within 2000 ms \(service\.hooks\.timeout\)/)
  expect(report.results[0]?.failure?.hint).toMatch(
    /NOTHING ENDS THIS BY ITSELF.*`holdfast resume --config \S+ (acme|bolt)` now/,
  )
  expect(service.commandEvents().filter(({ what }) => what === 'resume')).toHaveLength(1)
  service.let('resume', '')
  const status = await service.run('status', '--format', 'nagios')
  expect([status.code, status.stdout]).toEqual([2, expect.stringMatching(/PAUSED\?.*NOTHING ENDS THIS BY ITSELF/)])
  expect((await service.run('resume', '--all')).code).toBe(0)
  expect(service.paused()).toEqual([])
})
