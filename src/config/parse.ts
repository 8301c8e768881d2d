/**
 * Turns the text of a configuration into settings, or into one failure that lists everything that is wrong. Reads no
 * file.
 */

import { dirname, join } from 'node:path'
import * as z from 'zod/mini'
import { invariant } from '../model/bug.ts'
import { Failure } from '../model/failure.ts'
import { nearest } from '../text/nearest-word.ts'
import { pathPattern } from '../text/path-pattern.ts'
import { defaultAccountsName, defaultQuarantineName, defaultRequestTimeoutMs } from './defaults.ts'
import { fleetConflicts, fleetOf } from './fleet/fleet-of.ts'
import type { InvariantRule } from './invariants.ts'
import { conflictsBetweenKeys } from './key-conflicts.ts'
import { sections, unwrap } from './schema.ts'
import type { Sections } from './schema.ts'
import type { ServiceSettings, Settings } from './settings.ts'
import { sinksOf } from './sinks/alert-sinks.ts'
import { readYaml } from './yaml-text.ts'
import type { PlacedProblem, YamlParseResult } from './yaml-text.ts'

/** Problems beyond so many are counted and not listed: the first ones mostly explain the rest. */
const listedProblemsMax = 50

/**
 * @param file absolute path; relative paths in `text` count from its folder
 * @throws {Failure} CONFIG_INVALID
 */
export function parseSettings(text: string, file: string): Settings {
  const yaml = readYaml(text)
  if (yaml.kind === 'refused') throw invalid(file, yaml.problems)
  const schema = sections(dirname(file))
  const parsed = schema.safeParse(yaml.value ?? {})
  const problems: readonly PlacedKeyProblem[] = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => locateIssue(issue, schema, yaml))),
    ...conflictsBetweenKeys(yaml.value, dirname(file)).map(({ path, message }) => ({
      ...yaml.placeOf(path, 'key'),
      key: keyOf(path),
      message: `${pathText(path)} ${message}`,
    })),
  ]
  if (!parsed.success || problems.length > 0) throw invalid(file, problems)
  const settings = settingsOf(parsed.data, file)
  const conflicts = fleetConflicts(settings.fleet, settings).map(({ path, message }) => ({
    ...yaml.placeOf(path, 'value'),
    key: keyOf(path),
    message,
  }))
  if (conflicts.length > 0) throw invalid(file, conflicts)
  return settings
}

/** `key`: as `holdfast explain` knows it; left out if the problem is about no key. */
type PlacedKeyProblem = PlacedProblem & { readonly key?: string }

function invalid(file: string, problems: readonly PlacedKeyProblem[]): Failure {
  invariant(problems.length > 0, 'a configuration is not refused without a reason')
  const inOrder = problems.toSorted((one, other) => one.line - other.line || one.column - other.column)
  const listed = inOrder
    .slice(0, listedProblemsMax)
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`)
  const rest = inOrder.length - listed.length
  const key = inOrder.find((problem) => (problem.key ?? '') !== '')?.key
  const detail =
    key === undefined
      ? {}
      : { hint: `correct the configuration; nothing was touched; \`holdfast explain ${key}\` describes this key` }
  return new Failure('CONFIG_INVALID', [...listed, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'), detail)
}

type ReadYaml = Extract<YamlParseResult, { kind: 'read' }>

function locateIssue(issue: z.core.$ZodIssue, schema: Sections, yaml: ReadYaml): readonly PlacedKeyProblem[] {
  if (issue.code !== 'unrecognized_keys') {
    const where = pathText(issue.path)
    return [
      {
        ...yaml.placeOf(issue.path, 'value'),
        key: keyOf(issue.path),
        message:
          `${where}${issue.message.startsWith('is ') || issue.message.startsWith('must ') ? '' : ':'} ` + issue.message,
      },
    ]
  }
  const known = knownKeys(schema, issue.path)
  return issue.keys.map((key) => {
    const near = nearest(key, known)
    const advice = near === null ? `the keys here are ${known.join(', ')}` : `did you mean ${near}?`
    return {
      ...yaml.placeOf([...issue.path, key], 'key'),
      key: keyOf(near === null ? issue.path : [...issue.path, near]),
      message: `unknown key ${pathText([...issue.path, key])}: ${advice}`,
    }
  })
}

/** Without the places in lists, which have no name: the key of the list stands for them. Empty for the whole. */
function keyOf(path: readonly PropertyKey[]): string {
  const inList = path.findIndex((step) => typeof step === 'number')
  return (inList === -1 ? path : path.slice(0, inList)).map(String).join('.')
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? 'the configuration'
    : path
        .map((step, index) =>
          typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${printable(String(step))}`,
        )
        .join('')

/** A key is untrusted text that will be printed on a terminal. An address in its place may hold a secret. */
const printable = (text: string): string =>
  /^[\w-]{1,64}$/.test(text) ? text : text.includes('://') ? 'that is an address' : JSON.stringify(text.slice(0, 64))

function knownKeys(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema
  for (const step of [...path, null]) {
    at = unwrap(at)
    if (step === null) break
    at =
      at instanceof z.ZodMiniArray
        ? at.def.element
        : at instanceof z.ZodMiniObject
          ? (at.shape as Record<PropertyKey, unknown>)[step]
          : undefined
  }
  return at instanceof z.ZodMiniObject ? Object.keys(at.shape) : []
}

type GivenSettings = z.infer<Sections>

function settingsOf(given: GivenSettings, file: string): Settings {
  const { hold, live, check, backups, ledger } = given
  const quarantine = given.quarantine.dir ?? join(ledger.dir, defaultQuarantineName)
  const accounts = given.accounts.dir ?? join(ledger.dir, defaultAccountsName)
  const roots = rootsOf(given)
  const own = [ledger.dir, given.snapshots.dir, quarantine, accounts, ...(backups.dir === null ? [] : [backups.dir])]
  const service = serviceOf(given.service, roots, own)
  return {
    file,
    service,
    tenants: { ...given.tenants, roots },
    hold: {
      require: hold.require,
      ttlMs: hold.ttl,
      drainTimeoutMs: hold.drainTimeout,
      maxPauseMs: hold.maxPause,
      maxPaused: hold.maxPaused,
      warmAboveBytes: hold.warmAbove,
    },
    live: {
      pinWaitMs: live.pinWait,
      maxPinMs: live.maxPin,
      maxWalGrowthBytes: live.maxWalGrowth,
      maxWriterWaitMs: live.maxWriterWait,
    },
    snapshots: given.snapshots,
    check: {
      workers: check.workers,
      timeoutMs: check.timeout,
      memoryBytes: check.memory,
      niceness: check.niceness,
      accept: check.accept,
      rehearse: check.rehearse,
      invariants: check.invariants.map(invariantOf),
    },
    backups:
      backups.dir === null
        ? null
        : { dir: backups.dir, keep: backups.keep, maxAgeMs: backups.maxAge, fetch: backups.fetch },
    quarantine: { dir: quarantine },
    accounts: { dir: accounts },
    sweep: { maxAgeMs: given.sweep.maxAge, budgetMs: given.sweep.budget },
    heal: given.heal,
    ledger,
    alerts: sinksOf(given.alerts),
    registry: { graceMs: given.registry.grace },
    fleet: fleetOf(given.fleet),
  }
}

function invariantOf({
  name,
  sql,
  command,
  tenants,
  severity,
  timeout,
}: GivenSettings['check']['invariants'][number]): InvariantRule {
  invariant((sql === null) !== (command === null), 'a rule has either sql or command')
  const common = { name, tenants, severity, timeoutMs: timeout }
  return command === null
    ? { ...common, question: { kind: 'sql', sql: sql ?? '' } }
    : { ...common, question: { kind: 'command', command } }
}

type Roots = Settings['tenants']['roots']

/** By default the fixed parts of the patterns: what lies beside them is not touched. */
function rootsOf({ service, tenants }: GivenSettings): Roots {
  if (tenants.roots !== null) return tenants.roots
  const [first, ...more] = (service.files ?? []).map(fixedPartOf)
  invariant(first !== undefined, 'roots are given, or files')
  return [first, ...new Set(more.filter((folder) => folder !== first))]
}

function fixedPartOf(text: string): string {
  const pattern = pathPattern(text)
  invariant('fixed' in pattern, 'a pattern was read before')
  return pattern.fixed
}

function serviceOf(
  { name, admin, hooks, files, tokenFile, caFile, requestTimeout }: GivenSettings['service'],
  roots: Roots,
  own: readonly string[],
): ServiceSettings {
  if (admin !== null)
    return {
      kind: 'admin-api',
      name,
      endpoint: admin,
      tokenFile,
      caFile,
      requestTimeoutMs: requestTimeout ?? defaultRequestTimeoutMs,
    }
  if (files !== null) return { kind: 'files', name, patterns: files, roots, own }
  invariant(hooks !== undefined, 'a service has an admin API, hooks or files')
  return {
    kind: 'hooks',
    name,
    tenants: hooks.tenants,
    quiesce: hooks.quiesce,
    resume: hooks.resume,
    timeoutMs: hooks.timeout,
  }
}
