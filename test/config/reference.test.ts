/**
 * The reference of the configuration says what the schema says, and nothing else: every key, each with a true default
 * and an example that parses.
 */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { referenceFile, renderReference } from '../../scripts/build/reference.ts'
import { parseSettings } from '../../src/config/parse.ts'
import { explainKeys } from '../../src/config/reference/explain-keys.ts'
import { keyMeanings } from '../../src/config/reference/key-meanings.ts'
import { sectionMeanings } from '../../src/config/reference/section-meanings.ts'
import type { Settings } from '../../src/config/settings.ts'
import { durationUnitNames, sizeUnitNames } from '../../src/config/units.ts'
import type { Explanation, KeyValue } from '../../src/diagnosis/explain/explain.ts'
import { Failure } from '../../src/model/failure.ts'

type Section = { readonly [key: string]: unknown }
type DescribedKey = Explanation & { readonly value: KeyValue }

const keys = explainKeys().filter((one): one is DescribedKey => one.value !== undefined)
const admin = { service: { name: 'notes', admin: 'unix:/run/notes/admin.sock' }, tenants: { roots: ['/srv/notes'] } }
const https = { ...admin, service: { name: 'notes', admin: 'https://notes.example:8443', tokenFile: '/etc/token' } }
const hooks = {
  ...admin,
  service: { name: 'notes', hooks: { tenants: ['ctl'], quiesce: ['ctl', '{tenant}'], resume: ['ctl', '{tenant}'] } },
}

const files = { service: { name: 'notes', files: ['/srv/notes/*.db'] } }

/** A whole configuration in which the key has a meaning. */
const around = (topic: string): Section =>
  topic.startsWith('service.hooks.')
    ? hooks
    : topic === 'service.files' || topic === 'tenants.roots'
      ? files
      : topic === 'service.caFile' || topic === 'service.tokenFile'
        ? https
        : /^backups\.(?:keep|maxAge|fetch)/.test(topic)
          ? { ...admin, backups: { dir: '/b' } }
          : topic.startsWith('fleet.') && topic !== 'fleet.database'
            ? inFleet(topic)
            : admin
/** Expiry and window have limits that depend on other keys. */
const inFleet = (topic: string): Section => {
  const database = topic.endsWith('File') ? 'postgres://db.example/holdfast' : 'pglite:/fleet'
  const schedule = topic === 'fleet.schedule.zone' ? { schedule: { at: '0 2 * * *' } } : {}
  const fleet = { database, ...schedule, ...(topic === 'fleet.window' ? { expiry: '1h' } : {}) }
  if (topic !== 'fleet.expiry') return { ...admin, fleet }
  return {
    service: { ...admin.service, requestTimeout: '100ms' },
    tenants: admin.tenants,
    hold: { ttl: '1s', maxPause: '10ms', drainTimeout: '0s' },
    fleet: { ...fleet, window: '100ms' },
  }
}
const settingsOf = (document: Section): Settings =>
  parseSettings(JSON.stringify(document), '/etc/holdfast/holdfast.yaml') // JSON is YAML.
const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function mergeSections(one: Section, other: Section): Section {
  return Object.entries(other).reduce<Section>((sum, [key, value]) => {
    const known = sum[key]
    return { ...sum, [key]: isSection(known) && isSection(value) ? mergeSections(known, value) : value }
  }, one)
}

const at = (topic: string, value: unknown): Section =>
  topic.split('.').reduceRight<unknown>((below, key) => ({ [key]: below }), value) as Section

function without(document: Section, [key = '', ...rest]: readonly string[]): Section {
  const { [key]: found, ...others } = document
  return rest.length === 0 ? others : { ...others, [key]: without(found as Section, rest) }
}

test('the page is what `npm run reference` makes of the schema', () => {
  expect(readFileSync(referenceFile, 'utf8')).toBe(renderReference())
})

test('every key and section of the schema is described, and no other', () => {
  expect(keys.map(({ topic }) => topic).toSorted()).toEqual(Object.keys(keyMeanings).toSorted())
  const found = new Set(
    keys.flatMap(({ topic }) =>
      topic
        .split('.')
        .slice(0, -1)
        .map((_, at, steps) => steps.slice(0, at + 1).join('.')),
    ),
  )
  expect([...found].toSorted()).toEqual(Object.keys(sectionMeanings).toSorted())
})

describe.each(keys.map((key) => [key.topic, key] as const))('%s', (topic, { value, means }) => {
  test('has an example that parses, and is not the default', () => {
    const example = parse(value.example) as Section
    const settings = settingsOf(mergeSections(around(topic), example))
    if (value.default !== null && keyMeanings[topic]?.example !== value.default)
      expect(settings).not.toEqual(settingsOf(around(topic)))
  })

  test('has the default that holds without it, or must be given', () => {
    if (value.required) expect(() => settingsOf(without(around(topic), topic.split('.')))).toThrow(Failure)
    else if (value.default !== null)
      expect(settingsOf(mergeSections(around(topic), at(topic, parse(value.default))))).toEqual(
        settingsOf(around(topic)),
      )
    else if (!['service.admin', 'service.files', 'service.tokenFile'].includes(topic))
      expect(settingsOf(mergeSections(around(topic), at(topic, null)))).toEqual(settingsOf(around(topic)))
  })

  test('names its unit if it has one', () => {
    const units = value.allowed.startsWith('a duration')
      ? durationUnitNames
      : value.allowed.startsWith('a size')
        ? sizeUnitNames
        : null
    expect(value.unit).toBe(units === null ? null : units.join(', '))
    if (units === null) return
    const [, least = '', most = ''] = / from (\S+) to (\S+)$/.exec(value.allowed) ?? []
    for (const limit of [least, most])
      expect(() => settingsOf(mergeSections(around(topic), at(topic, limit)))).not.toThrow()
    const shift = (limit: string, by: number): string => limit.replace(/\d+/, (number) => String(Number(number) + by))
    for (const beyond of [shift(least, -1), shift(most, 1)]) {
      expect(() => settingsOf(mergeSections(around(topic), at(topic, beyond)))).toThrow(Failure)
    }
  })

  test('is described in short sentences', () => {
    for (const sentence of means.split(/(?<=[.:]) /))
      expect(sentence.split(' ').length, sentence).toBeLessThanOrEqual(25)
  })
})

test('the configurations on the page parse, and both say the same', () => {
  const blocks = [...renderReference().matchAll(/```yaml\n([^]*?)```/g)].map(([, text = '']) =>
    parseSettings(text, '/etc/holdfast/holdfast.yaml'),
  )
  expect(blocks).toHaveLength(2)
  expect(blocks[1]).toEqual(blocks[0])
})

test('prose stays within 120 columns', () => {
  expect(
    renderReference()
      .split('\n')
      .filter((line) => line.length > 120 && !/^(?:- |```|\w+: )/.test(line)),
  ).toEqual([])
})
