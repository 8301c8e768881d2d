/**
 * Traces for OpenTelemetry: one span for each file, with the steps of its hold as events and its check below it. The
 * SDK is loaded only if its environment variables ask for it. Spans are made of what was measured anyway and are sent
 * in the background, so that no hold waits for them.
 */
import type { Attributes } from '@opentelemetry/api'
import type { Result } from '../../model/result/report.ts'
import { loadTracer, type TracerOfProcess } from './load-tracer.ts'

/** Steps of files that have no result yet. A run has only a few such files at a time. */
const stepsUnderWay = new Map<string, { readonly at: number; readonly step: string }[]>()
/** A file whose result never comes must not grow for ever. */
const stepsMax = 200
const filesMax = 10_000

let tracer: TracerOfProcess | null = null

/**
 * Whether the environment asks for traces.
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
function isTracingAsked(env: NodeJS.ProcessEnv): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false
  const exporter = env['OTEL_TRACES_EXPORTER'] ?? ''
  if (exporter !== '') return exporter.split(',').includes('otlp')
  return [env['OTEL_EXPORTER_OTLP_ENDPOINT'], env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']].some(Boolean)
}

/**
 * @param version of holdfast
 * @param say told once if traces cannot be made or sent
 */
export async function startTracing(version: string, say: (sentence: string) => void): Promise<void> {
  if (isTracingAsked(process.env)) tracer = await loadTracer(version, say)
}

/** Sends what is left, for a few seconds at most. */
export async function endTracing(): Promise<void> {
  const ending = tracer
  tracer = null
  await ending?.end()
}

export function traceStep(tenant: string | null, path: string, step: string): void {
  if (tracer === null) return
  const key = keyOf(tenant, path)
  const steps = stepsUnderWay.get(key) ?? []
  if (steps.length < stepsMax) steps.push({ at: Date.now(), step })
  if (stepsUnderWay.size < filesMax) stepsUnderWay.set(key, steps)
}

export function traceResult(run: string, result: Result): void {
  if (tracer === null) return
  const { tenant, path, verdict, damage, failure, evidence, timings } = result
  const key = keyOf(tenant, path)
  const steps = stepsUnderWay.get(key) ?? []
  stepsUnderWay.delete(key)
  const endedAt = Date.now()
  const attributes: Attributes = {
    'holdfast.run': run,
    'holdfast.tenant': tenant ?? '',
    'holdfast.verdict': verdict,
    'holdfast.damage': damage,
    'holdfast.seal': evidence.level,
    'file.path': path,
    ...(failure ? { 'error.type': failure.code } : {}),
    ...(timings.pauseMs === null ? {} : { 'holdfast.pause_ms': timings.pauseMs }),
  }
  tracer.record({
    name: 'examine',
    startedAt: Math.min(endedAt - timings.totalMs, ...steps.map(({ at }) => at)),
    endedAt,
    attributes,
    failed: verdict === 'damaged' || verdict === 'failed',
    events: steps,
    parts: timings.checkMs === null ? [] : [{ name: 'check', startedAt: endedAt - timings.checkMs, endedAt }],
  })
}

const keyOf = (tenant: string | null, path: string): string => `${tenant ?? ''}\n${path}`
