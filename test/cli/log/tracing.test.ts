/** Traces and log lines of a sweep, as programs receive them. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { holdfast } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

interface Span {
  readonly name: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[]
  readonly events: readonly { readonly name: string }[]
}

/** A collector on loopback. `answers` false: it takes the request and never answers. */
async function openCollector(
  answers = true,
): Promise<{ readonly url: string; readonly spans: Span[] } & AsyncDisposable> {
  const spans: Span[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (data: string) => (body += data))
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(body) as {
        readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[]
      }
      spans.push(...resourceSpans.flatMap((one) => one.scopeSpans.flatMap((scope) => scope.spans)))
      if (answers) response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('I2.4: a sweep sends one span for each file, with the steps of its hold and its check', async () => {
  await using collector = await openCollector()
  await using service = await openService()
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  const { code, stderr } = await holdfast(['sweep', '--config', service.config], { env })
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('traces')])
  const files = collector.spans.filter(({ name }) => name === 'examine')
  expect(files).toHaveLength(2)
  for (const { spanId, events, attributes } of files) {
    expect(events.map(({ name }) => name)).toEqual(expect.arrayContaining(['quiesced', 'sealed', 'resumed']))
    expect(attributes.find(({ key }) => key === 'holdfast.verdict')?.value.stringValue).toBe('sound')
    expect(collector.spans.find(({ parentSpanId }) => parentSpanId === spanId)?.name).toBe('check')
  }
})

test('I4.1: a collector that does not answer, or is not there, changes nothing but one sentence', async () => {
  await using silent = await openCollector(false)
  await using service = await openService()
  for (const url of [silent.url, 'http://127.0.0.1:9']) {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url }
    const { code, stdout } = await holdfast(['sweep', '--json', '--config', service.config], { env })
    expect([code, (JSON.parse(stdout) as { readonly summary: { readonly sound: number } }).summary.sound]).toEqual([
      0, 2,
    ])
  }
})

test('I2.4: each line of the log names run, tenant and step, also for a result', async () => {
  await using service = await openService()
  const { stderr } = await holdfast(['sweep', '--quiet', '--log-level', 'info', '--config', service.config])
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as object)
  for (const line of lines)
    expect(line).toMatchObject({ run: expect.any(String) as string, tenant: expect.any(String) as string })
  const results = lines.filter((line) => 'step' in line && line.step === 'result')
  expect(results).toHaveLength(2)
  expect(results[0]).toMatchObject({ verdict: 'sound', damage: 'none', failure: null })
})
