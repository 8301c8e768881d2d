/** Loads OpenTelemetry's SDK, and makes spans of what tracing.ts has collected. */
import type { Attributes } from '@opentelemetry/api'

interface TracedWork {
  readonly name: string
  /** In ms since 1970. */
  readonly startedAt: number
  readonly endedAt: number
  readonly attributes: Attributes
  readonly failed: boolean
  readonly events: readonly { readonly at: number; readonly step: string }[]
  readonly parts: readonly { readonly name: string; readonly startedAt: number; readonly endedAt: number }[]
}

export interface TracerOfProcess {
  record(work: TracedWork): void
  end(): Promise<void>
}

/** A collector that does not answer must not keep holdfast from ending. */
const sendMsMax = 5_000
/** Small batches, so that a tenant that is paused meanwhile does not wait for them. */
const batch = {
  maxQueueSize: 10_000,
  maxExportBatchSize: 64,
  scheduledDelayMillis: 5_000,
  exportTimeoutMillis: sendMsMax,
}

/** @returns null if the SDK is not installed; that was said then */
export async function loadTracer(version: string, say: (sentence: string) => void): Promise<TracerOfProcess | null> {
  try {
    const [api, { OTLPTraceExporter }, resources, sdk] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace'),
    ])
    let complained = false
    const complain = (message: string): void => {
      if (!complained) say(`holdfast: traces could not be sent: ${message}`)
      complained = true
    }
    const silent = (): void => undefined
    api.diag.setLogger({ error: complain, warn: silent, info: silent, debug: silent, verbose: silent })
    const named = resources.resourceFromAttributes({ 'service.name': 'holdfast', 'service.version': version })
    const given = resources.detectResources({ detectors: [resources.envDetector, resources.hostDetector] })
    const provider = new sdk.TracerProvider({
      resource: resources.defaultResource().merge(named).merge(given),
      spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter(), ...batch })],
    })
    const tracer = provider.getTracer('holdfast', version)
    return {
      record({ name, startedAt, endedAt, attributes, failed, events, parts }) {
        const span = tracer.startSpan(name, { startTime: startedAt, attributes })
        for (const { at, step } of events) span.addEvent(step, {}, at)
        if (failed) span.setStatus({ code: api.SpanStatusCode.ERROR })
        const within = api.trace.setSpan(api.ROOT_CONTEXT, span)
        for (const part of parts) tracer.startSpan(part.name, { startTime: part.startedAt }, within).end(part.endedAt)
        span.end(endedAt)
      },
      end: async () => {
        await Promise.race([
          provider.shutdown().catch((error: unknown) => complain(String(error))),
          new Promise((resolve) => {
            setTimeout(resolve, sendMsMax).unref()
          }),
        ])
      },
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    say('holdfast: the environment asks for traces, but OpenTelemetry is not installed here: install holdfast again')
    return null
  }
}
