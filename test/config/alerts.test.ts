/** `alerts`: sinks are understood, mistakes are named with their line, and no message quotes an address. */
import { describe, expect, test } from 'vitest'
import { parseSettings } from '../../src/config/parse.ts'
import type { AlertSink } from '../../src/config/settings.ts'
import { alertKinds } from '../../src/config/sinks/alert-sinks.ts'
import { file, least, problemsOf } from '../support/config/problems.ts'

const sinks = (text: string): readonly AlertSink[] => parseSettings(`${least}alerts: ${text}\n`, file).alerts

test('each kind of sink, with all alarms unless `on` names some', () => {
  expect(sinks('[{ command: [/bin/page, -x] }]')).toEqual([
    { kind: 'command', command: ['/bin/page', '-x'], on: alertKinds },
  ])
  expect(sinks('[{ webhook: https://a.example/T/S, on: [damage, paused, stale] }]')).toEqual([
    { kind: 'webhook', url: 'https://a.example/T/S', on: ['damaged', 'paused', 'stale'] },
  ])
  expect(sinks('[{ webhookFile: hook, on: [damaged, damage, harm, inconclusive, recovered] }]')).toEqual([
    { kind: 'webhook-file', file: '/etc/holdfast/hook', on: ['damaged', 'harm', 'inconclusive', 'recovered'] },
  ])
  expect(sinks('[{ heartbeat: http://127.0.0.1:9/x }]')).toEqual([{ kind: 'heartbeat', url: 'http://127.0.0.1:9/x' }])
  expect(sinks('')).toEqual([])
})

describe('a mistake is named with its line', () => {
  test.each([
    ['[{}]', /^3:\d+: alerts\[0\] needs one of command, webhook, webhookFile, heartbeat$/],
    ['[{ webhook: https://SECRET.example, command: [a] }]', /^3:\d+: alerts\[0\]\.webhook stands beside command: /],
    ['[{ heartbeat: https://a.example, on: [damage] }]', /^3:\d+: alerts\[0\]\.on goes with alarms; /],
    ['[{ command: [a], on: [damaged, SECRET] }]', /^3:\d+: alerts\[0\]\.on must name alarms: harm, paused, damaged, /],
    ['[{ command: [a], on: [] }]', /^3:\d+: alerts\[0\]\.on: expected a list such as /],
    ['[{ webhook: "ftp://SECRET" }]', /^3:\d+: alerts\[0\]\.webhook must be an address that begins with https:/],
    ['[{ webhook: SECRET }]', /^3:\d+: alerts\[0\]\.webhook must be an address/],
    ['[{ webhook: "https://u:SECRET@a.example" }]', /^3:\d+: alerts\[0\]\.webhook must not carry a user or password/],
    ['[https://SECRET]', /^3:\d+: alerts\[0\]: expected a section such as /],
    ['{ webhook: "https://SECRET" }', /^3:\d+: alerts: expected a list of sinks such as /],
    ['[{ command: "curl https://SECRET" }]', /^3:\d+: alerts\[0\]\.command: .+commands are run without a shell$/],
    [`[${'{ command: [a] }, '.repeat(21)}]`, /^3:\d+: alerts: expected at most 20 sinks$/],
  ])('%s', (text, expected) => {
    const problems = problemsOf(`${least}alerts: ${text}\n`)
    expect(problems).toEqual([expect.stringMatching(expected)])
    expect(problems.join('\n')).not.toContain('SECRET')
  })

  test('an unknown key has its nearest one, and an address in the place of a key is not quoted', () => {
    const [unknown] = problemsOf(`${least}alerts: [{ webook: https://SECRET, command: [a] }]\n`)
    expect(unknown).toMatch(/unknown key alerts\[0\]\.webook: did you mean webhook\?$/)
    const address = problemsOf(`${least}alerts:\n  - https://SECRET/x: y\n    command: [a]\n`)
    expect(address).toEqual([expect.stringContaining('unknown key alerts[0].that is an address')])
    expect(address.join('\n')).not.toContain('SECRET')
  })
})
