/** The page of a run: what it says first, that nothing gets into it unescaped, and how large it becomes. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { pageOf, hostileHistories, hostileReport, hostileTexts } from '../../support/pages.ts'
import { damaged, failed, paused, report, sound, unproven } from '../../support/report.ts'

const headline = (page: string): string => /<h1>([^<]*)<\/h1>/.exec(page)?.[1] ?? ''
const many = (total: number): readonly string[] => Array.from({ length: total }, (_, i) => `tenant-${i}`)

test.each([
  ['all are sound', report([sound('a'), sound('b')]), 'All 2 tenants are sound'],
  ['one is sound', report([sound('a')]), '1 tenant is sound'],
  ['one is damaged', report([sound('a'), damaged('b')]), '1 of 2 tenants is damaged'],
  ['damage outweighs failures', report([failed('a'), damaged('b')]), '1 of 2 tenants is damaged'],
  ['a pause outweighs damage', report([paused('a'), damaged('b')]), '1 tenant may still be paused'],
  ['some failed', report([sound('a'), failed('b'), unproven('c')]), '2 of 3 tenants are not known to be sound'],
  ['some were not reached', report([sound('a')], {}, 3), '3 of 4 tenants are not known to be sound'],
  ['none was selected', report([]), 'No tenant was checked'],
  [
    'the run itself failed',
    {
      ...report([]),
      failure: { code: 'ADMIN_UNREACHABLE' as const, message: 'm', hint: 'h', tenantState: 'untouched' as const },
    },
    'The run failed: ADMIN_UNREACHABLE',
  ],
])('the first sentence says it: %s', (_, run, expected) => {
  expect(headline(pageOf(run))).toBe(expected)
})

test('the command of each damaged tenant stands above everything else, and names the configuration', () => {
  const page = pageOf(report([sound('a'), damaged('bolt')]), { config: '/etc/h.yaml' })
  const command = '<code>holdfast repair --config /etc/h.yaml --tenant bolt</code>'
  expect(page.indexOf(command)).toBeGreaterThan(0)
  expect(page.indexOf(command)).toBeLessThan(page.indexOf('id="fleet"'))
  expect(page.split(command)).toHaveLength(3) // And beside the damage itself.
})

test('a paused tenant comes first, with the command that resumes it', () => {
  const page = pageOf(report([damaged('bolt'), paused('acme')]))
  expect(page.indexOf('<code>holdfast resume --all</code>')).toBeLessThan(page.indexOf('holdfast repair'))
})

test('a list of tenants that is an old copy is said loudly', () => {
  expect(pageOf(report([sound('a')], { registry: 'cached since 2026-11-28T01:00:00Z' }))).toMatch(
    /class="loud">\s*The service gave no list of tenants[^]*?cached since 2026-11-28T01:00:00Z/,
  )
})

test('what --heal has changed is told with the command that undoes it, and is no step to take any more', () => {
  const plan = {
    do: 'rebuild',
    objects: [],
    backup: null,
    method: 'swap',
    predictedPauseMs: 1,
    needsBytes: 1,
    losses: [],
    undo: 'holdfast repair --tenant bolt --undo 01X',
    why: 'w',
    command: null,
  } as const
  const applied = {
    change: '01X',
    at: '2026-11-28T02:00:00Z',
    method: 'swap',
    pauseMs: 9,
    verdict: 'sound',
    healthy: true,
    original: '/q',
  } as const
  const before = { verdict: 'damaged', damage: 'index', findingsTotal: 1 } as const
  const healed = {
    tenant: tenantId('bolt'),
    path: '/b',
    before,
    plan,
    rehearsal: null,
    applied,
    account: null,
    failure: null,
  }
  const healing = {
    limit: 3,
    results: [healed],
    left: [{ tenant: tenantId('coda'), why: 'in doubt' }],
    leftTotal: 1,
    stopped: null,
  }
  const { remedy } = damaged('coda')
  const coda = damaged('coda', { remedy: { ...remedy, command: 'holdfast repair --tenant coda --apply' } })
  const run = { ...report([damaged('bolt'), coda]), healing }
  const page = pageOf(run)
  expect(page).toContain('<code>holdfast repair --tenant bolt --undo 01X</code>')
  const [, steps = ''] = /<ol>([^]*?)<\/ol>/.exec(page) ?? []
  expect(steps).toContain('<code>holdfast repair --tenant coda</code>')
  expect(steps).not.toContain('bolt')
})

describe('hostile text', () => {
  const page = pageOf(hostileReport(), { service: hostileTexts[1], histories: hostileHistories() })
  const tags = [...page.replaceAll(/<(style|script)>[^]*?<\/\1>/g, '').matchAll(/<(\/?)([a-z0-9]+)((?:\s[^<>]*)?)>/gi)]

  test('adds no tag: each one is ours', () => {
    const ours =
      'a article b bdi body br button caption code dd details div dl dt figcaption figure footer h1 h2 h3 head ' +
      'header html li main meta ol p path rect section span summary svg table tbody td th thead title tr ul'
    expect(
      [...new Set(tags.map(([, , name]) => name))].filter((name) => !ours.split(' ').includes(name ?? '')),
    ).toEqual([])
    expect(page.match(/<script/g)).toHaveLength(1)
    expect(page.match(/<style/g)).toHaveLength(1)
    expect(page.split('<').length - 1).toBe(tags.length + 4 + 1) // Those of style and script, and the doctype.
  })

  test('adds no attribute and no address', () => {
    const attributes = tags.flatMap(([, , , rest]) => [...(rest ?? '').matchAll(/([\w-]+)="[^"]*"/g)])
    expect(attributes.filter(([, name]) => /^(?:src|style|on.*)$/.test(name ?? ''))).toEqual([])
    const addresses = attributes.flatMap(([text, name]) => (name === 'href' ? [text] : []))
    expect(addresses.filter((address) => !/^href="#(?:now|p\d+)"$/.test(address))).toEqual([])
    for (const [, , , rest] of tags)
      expect((rest ?? '').replaceAll(/\s[\w-]+(?:="[^"]*")?/g, '').trim()).toMatch(/^\/?$/)
  })

  test('shows no control character and no mark that changes the direction', () => {
    expect(page.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
    expect(page).toContain('\\u{202e}evil')
  })

  test('the policy allows this style and this script, and nothing else', () => {
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? []
    for (const name of ['style', 'script']) {
      const [, text = ''] = new RegExp(`<${name}>([^]*?)</${name}>`).exec(page) ?? []
      expect(policy).toContain(`${name}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`)
    }
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/)
  })
})

test('a run over ten thousand tenants makes a page of bounded size that says what it leaves out', () => {
  const run = report(many(10_000).map((id, i) => (i % 400 === 7 ? damaged(id) : sound(id))))
  const page = pageOf(run)
  expect(page.length).toBeLessThan(600_000)
  expect(page).toContain('It leaves out 9,000 more')
  expect(page).toContain('Each square stands for 3 files')
  expect(page.match(/<article/g)).toHaveLength(25)
})

test('a thousand damaged tenants: a hundred are described, and all are counted', () => {
  const page = pageOf(report(many(1000).map((id) => damaged(id))))
  expect(page).toContain('All 1,000 tenants are damaged')
  expect(page).toContain('The gravest 100 of 1,000 are described here')
  expect(page.match(/<article/g)).toHaveLength(100)
  expect(page.length).toBeLessThan(1_500_000)
})

test('a service that is down: one problem names the tenants that failed for the same reason', () => {
  const page = pageOf(report(many(50).map((id) => failed(id))))
  expect(page.match(/<article/g)).toHaveLength(1)
  expect(page).toContain('and 49 more')
})
