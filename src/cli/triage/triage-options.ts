/** Options of `triage`, and what they mean together. */
import { resolve } from 'node:path'
import type { Settings } from '../../config/settings.ts'
import { Failure } from '../../model/failure.ts'
import { configurationPath, type PageOptions, type ReportOptions } from '../options.ts'
import type { WaitOptions } from '../run/wait-option.ts'

export interface TriageCommandOptions extends ReportOptions, PageOptions, WaitOptions {
  readonly only?: readonly string[]
  readonly depth: 'quick' | 'full'
  readonly first?: boolean
  readonly maxPaused?: number
  readonly workers?: number
  readonly recursive?: boolean
  readonly detach?: boolean
  readonly service?: string
  readonly fromMonit?: boolean
  readonly incident?: string
  /** Of a triage in the background. */
  readonly request?: string
}

/** @throws {Failure} USAGE for options that have no meaning together */
export function requireTogether(files: readonly string[], options: TriageCommandOptions): void {
  if (files.length === 0) {
    if (options.recursive) throw new Failure('USAGE', '--recursive needs files or folders')
    return
  }
  const ofService = [
    ['--only', options.only],
    ['--max-paused', options.maxPaused],
    ['--detach', options.detach],
    ['--from-monit', options.fromMonit],
    ['--service', options.service],
    ['--incident', options.incident],
    ['--wait', options.wait],
    ['--request', options.request],
  ] as const
  const [wrong] = ofService.find(([, value]) => value !== undefined) ?? []
  if (wrong !== undefined)
    throw new Failure('USAGE', `${wrong} cannot be used with files: it is about the tenants of the configured service`)
}

/** The words behind `triage` that a background process needs; the request says the rest. */
export function wordsForBackground(options: TriageCommandOptions): readonly string[] {
  const { only, depth, first, maxPaused, workers, incident, service, wait, html } = options
  const { json, verbose, redactKeys, logLevel } = options
  const config = configurationPath(options)
  const named = (name: string, value: string | number | null | undefined): readonly string[] =>
    value === null || value === undefined ? [] : [`${name}=${value}`]
  return [
    ...named('--config', config),
    ...named('--depth', depth),
    ...(first ? ['--first'] : []),
    ...named('--max-paused', maxPaused),
    ...named('--workers', workers),
    ...named('--service', service),
    ...named('--incident', incident),
    ...named('--html', html === undefined ? undefined : resolve(html)),
    ...named('--wait', wait === undefined ? undefined : `${wait}ms`),
    ...(json ? ['--json'] : []),
    ...(verbose ? ['--verbose'] : []),
    ...(redactKeys ? ['--redact-keys'] : []),
    ...named('--log-level', logLevel),
    ...(only ?? []).flatMap((pattern) => named('--only', pattern)),
  ]
}

/** @throws {Failure} USAGE if the configuration is about another service than the one that is named */
export function requireService({ service, file }: Settings, { service: named }: TriageCommandOptions): void {
  if (named === undefined || named === service.name) return
  throw new Failure('USAGE', `${file} is about service ${service.name}, not about ${JSON.stringify(named)}`, {
    hint: 'name the configuration of that service with --config',
  })
}
