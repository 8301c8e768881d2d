/** A service that hangs while it closes a tenant is there: it is not asked without pause, nor sought elsewhere. */
import { expect, test } from 'vitest'
import { openAnswerServer, problem } from '../../support/service/answer-server.ts'
import { acme, connect, failureOf, forever, request, shortOf } from '../../support/service/client.ts'
import { openTestGate } from '../../support/service/gate.ts'

test('in-progress is asked again ever more rarely', async () => {
  const at: number[] = []
  await using service = await openAnswerServer(({ count }) => {
    at.push(performance.now())
    return count === 1 ? 'hang-up' : problem(409, 'in-progress')
  })
  await using client = await connect(service.socket, { requestTimeoutMs: 2_000 })
  const failure = await failureOf(client.quiesce(acme, { ...request, drainTimeoutMs: 500 }, forever))
  expect([failure.code, failure.tenantState, failure.message]).toEqual([
    'QUIESCE_TIMEOUT',
    'maybe-paused',
    expect.stringMatching(/still works on it/),
  ])
  expect(at.length).toBeLessThan(9)
  const waits = at.slice(2).map((time, index) => time - (at[index + 1] ?? 0))
  for (const [index, least] of [90, 190, 390, 790].entries()) expect(waits[index]).toBeGreaterThan(least)
})

test('a close that hangs: the words and the code of a tenant that does not come to rest', async () => {
  const hung = Promise.withResolvers<void>()
  await using gate = await openTestGate({ close: () => hung.promise })
  await using client = await connect(gate.socket, { requestTimeoutMs: 200 })
  const { code, message, hint, tenantState } = await failureOf(
    client.quiesce(acme, { ...request, drainTimeoutMs: 100 }, forever),
  )
  expect([code, tenantState]).toEqual(['QUIESCE_TIMEOUT', 'maybe-paused'])
  expect(message).toMatch(/not quiesced in time/)
  expect(hint).toMatch(/closing its handles hangs/)
  hung.resolve()
})

test('a service that takes the connection and stays silent is not looked for at another socket', async () => {
  await using service = await openAnswerServer(() => 'silence')
  await using client = await connect(service.socket, { requestTimeoutMs: 60 })
  for (const call of [
    () => client.quiesce(acme, { ...request, drainTimeoutMs: 50 }, forever),
    () => client.tenant(acme, forever),
  ]) {
    const { code, hint } = await failureOf(call())
    expect([code, hint]).toEqual(['ADMIN_UNREACHABLE', expect.stringMatching(/took the connection/)])
  }
})

test('interrupted while it is asked what became of a quiesce: the tenant may be paused', async () => {
  const interrupt = new AbortController()
  await using service = await openAnswerServer(({ method }) => {
    if (method === 'GET') interrupt.abort()
    return 'silence'
  })
  await using client = await connect(service.socket, { requestTimeoutMs: 60 })
  expect(await shortOf(client.quiesce(acme, { ...request, drainTimeoutMs: 50 }, interrupt.signal))).toBe(
    'INTERRUPTED maybe-paused',
  )
})
