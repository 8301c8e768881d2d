/** An alarm about the fleet as sinks get it. Text of the database is untrusted: it is made printable and bounded. */
import { hostname } from 'node:os'
import type { AlertKind } from '../../config/settings.ts'
import type { FleetConditionBody } from '../../fleet/alarms/condition.ts'
import type { FleetAlarm } from '../../fleet/alarms/send-conditions.ts'
import { damageClasses, type DamageClass } from '../../model/result/finding.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'
import { withConfiguration } from '../../report/text/hint.ts'
import { count } from '../../text/count.ts'
import { printableInUtf8 } from '../../text/printable.ts'
import { tenantWord } from '../../text/shell-words.ts'
import { tenantsMax, type Alarm, type AlarmSeverity, type AlarmTenant } from '../alarm.ts'
import { lead, nameSome, sentence } from '../words.ts'

const severityOf: Readonly<Record<AlertKind, AlarmSeverity>> = {
  harm: 'HARM SUSPECTED',
  paused: 'PAUSED',
  damaged: 'DAMAGED',
  stale: 'STALE',
  inconclusive: 'INCONCLUSIVE',
  recovered: 'RECOVERED',
}

/** So many conditions have a sentence of their own. */
const describedMax = 20

/** @param config the configuration that commands must name; null if they find it */
export function alarmOfFleet(alarm: FleetAlarm, config: string | null): Alarm {
  const { id, severity, over, since, conditions } = alarm
  const service = printableInUtf8(alarm.service ?? 'the fleet')
  const hosts = new Set(conditions.map(({ host }) => host))
  const [host = null] = hosts
  const tenants = conditions.filter(({ tenant }) => tenant !== null)
  return {
    schema: 'holdfast.alarm/1',
    id,
    severity: severityOf[severity],
    title: `${severityOf[severity]}: ${headline(alarm, service)}`,
    service,
    host: hosts.size === 1 && host !== null ? printableInUtf8(host) : hostname(),
    incident: null,
    run: id,
    since: since.toISOString(),
    tenants: tenants.slice(0, tenantsMax).map(describeTenant),
    tenantsTotal: tenants.length,
    command: commandOf(conditions, config),
    text: [
      leadOf(severity, over),
      ...conditions.slice(0, describedMax).map(describe),
      ...(conditions.length > describedMax ? [`And ${count(conditions.length - describedMax, 'more', 'more')}.`] : []),
    ].join('\n'),
  }
}

function headline({ severity, over, conditions }: FleetAlarm, service: string): string {
  const names = [...new Set(conditions.flatMap(({ tenant, host }) => tenant ?? host ?? []))]
  if (names.length > 0) {
    const what = { paused: ' may be paused', inconclusive: ' could not be checked' } as const
    const verb = severity === 'paused' || severity === 'inconclusive' ? what[severity] : ''
    const before = over === null ? '' : ` (${severityOf[over]})`
    return `${nameSome(names, names.length)} of ${service}${verb}${before}`
  }
  return sentence(conditions[0]?.text ?? service)
}

const leadOf = (severity: AlertKind, over: AlertKind | null): string =>
  severity === 'recovered'
    ? `This is over: ${over === null ? 'an earlier alarm' : severityOf[over]}.`
    : severity === 'harm'
      ? 'The cause may be holdfast itself, or locks that do not hold.'
      : lead[severityOf[severity] as keyof typeof lead]

function describe({ host, tenant, path, verdict, damage, text }: FleetConditionBody): string {
  const words = [
    ...(tenant === null ? [] : [`${printableInUtf8(tenant)}:`]),
    ...(path === null ? [] : [printableInUtf8(path)]),
    ...(host === null || tenant === null ? [] : [`on ${printableInUtf8(host)}`]),
  ]
  const found = verdict === null ? '' : `: ${verdict}${damage === null || damage === 'none' ? '' : ` (${damage})`}`
  const where = words.join(' ')
  if (text === null) return `${sentence(where)}${sentence(found)}.`
  return sentence(where === '' ? text : `${where.replace(/:$/, '')}: ${text}`)
}

const verdicts: readonly VerdictWord[] = ['sound', 'damaged', 'inconclusive', 'failed']

const describeTenant = ({ host, tenant, path, verdict, damage }: FleetConditionBody): AlarmTenant => ({
  tenant: tenant === null ? null : printableInUtf8(tenant),
  path: printableInUtf8(host === null ? (path ?? '') : `${host}:${path ?? ''}`),
  verdict: verdicts.find((one) => one === verdict) ?? null,
  damage: damageClasses.find((one): one is DamageClass => one === damage) ?? null,
  remedy: null,
})

/** For a person who reads the alarm on another machine. */
function commandOf(conditions: readonly FleetConditionBody[], config: string | null): string {
  const [first] = conditions
  const command =
    first?.command ??
    (first?.tenant == null ? 'holdfast fleet status' : `holdfast fleet history ${tenantWord(first.tenant)}`)
  return withConfiguration(command, config)
}
