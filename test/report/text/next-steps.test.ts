/**
 * Next steps: each is a command that exists, asks the service that was asked, and is not the command that was just run.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandLineOf } from '../../../src/cli/command-line.ts'
import { openInvocation } from '../../../src/cli/program.ts'
import type { Terminal } from '../../../src/cli/terminal/terminal.ts'
import { explain } from '../../../src/diagnosis/explain/explain.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { Failure, failureKinds } from '../../../src/model/failure.ts'
import type { FailureCode } from '../../../src/model/failure.ts'
import type { Result } from '../../../src/model/result/report.ts'
import { hintFor, withConfigurations } from '../../../src/report/text/hint.ts'
import type { CommandLine } from '../../../src/report/text/hint.ts'
import { nextCommand } from '../../../src/report/text/next-command.ts'
import { damaged, failed, sealed, sound } from '../../support/report.ts'

const { program } = await openInvocation({ version: '0.0.0' } as Terminal, [])

/** Is there such a command, with such options? */
function exists(command: string): boolean {
  const [, name = '', ...words] = command.split(' ')
  if (name.startsWith('-')) return name === '--help'
  const group = program.commands.find((one) => one.name() === name)
  const known = group?.commands.find((one) => one.name() === words[0]) ?? group
  const options = words.filter((word) => word.startsWith('--') && word !== '--' && word !== '--help')
  return known !== undefined && options.every((word) => known.options.some(({ long }) => long === word.split('=')[0]))
}

const codes = Object.keys(failureKinds) as FailureCode[]
const line = (words: string, config: string | null = null): CommandLine => ({ words: words.split(' '), config })
const commandsIn = (text: string): readonly string[] =>
  Array.from(text.matchAll(/`(holdfast [^`]+)`/g), ([, command = '']) => command)

describe('after a result', () => {
  const unread = (topic: string): Result =>
    sound('acme', {
      verdict: 'inconclusive',
      reason: 'r',
      remedy: { do: 'nothing', indexes: [], rehearsed: false, why: 'r', command: `holdfast explain ${topic}` },
    })
  const results: readonly (readonly [string, Result])[] = [
    ...codes.map(
      (code) => [code, failed('acme', { failure: { code, message: 'm', hint: 'h', tenantState: 'unknown' } })] as const,
    ),
    ...(['nothing', 'rebuild', 'restore', 'ask'] as const).map(
      (todo) => [todo, damaged('acme', { remedy: { ...damaged('acme').remedy, do: todo } })] as const,
    ),
    ...['inconclusive', 'unknown-tokenizer', 'check-timeout'].map((topic) => [topic, unread(topic)] as const),
  ]
  const runs = (['check', 'sweep', 'pull', 'compare'] as const).flatMap((mode) =>
    [false, true].map((copied) => [mode, copied] as const),
  )

  test.each(results)('%s: another command, which exists', (_, result) => {
    for (const [mode, copied] of runs) {
      for (const tenant of [null, tenantId('acme')]) {
        const command = nextCommand({ ...result, tenant }, { mode, copied }, null) ?? ''
        expect(exists(command), command).toBe(true)
        const own = tenant === null ? 'holdfast check /srv/notes/acme.db' : 'holdfast check --tenant acme'
        if (mode === 'check') expect(command).not.toBe(own)
        if (mode === 'check' && copied) expect(command).not.toMatch(/^holdfast check/)
        if (mode === 'compare' && tenant === null) expect(command).not.toContain('--keep-snapshot')
        if (mode === 'pull') expect(command).not.toMatch(/^holdfast pull/)
        const [, topic = null] = /^holdfast explain (.*)$/.exec(command) ?? []
        if (topic !== null) expect(explain(topic), topic).not.toBeNull()
      }
    }
  })
})

describe('beside programs that use the file', () => {
  const bare = { tenant: null, path: '/srv/a b.db' }
  const ask = { ...damaged('acme').remedy, do: 'ask', command: "holdfast salvage '/srv/a b.db' --to x" } as const
  const busy = (code: FailureCode): Result =>
    failed('acme', { ...bare, failure: { code, message: 'm', hint: 'h', tenantState: 'unknown' } })
  const live = { mode: 'check', copied: false, live: true } as const

  test('damage that only a salvage helps: a copy first, because a salvage of the file waits for the program', () => {
    const pinned = damaged('acme', { ...bare, remedy: ask, evidence: { ...sealed, level: 'pinned' } })
    const copy = "holdfast check --live '/srv/a b.db' --keep-snapshot ./kept"
    expect(nextCommand(pinned, live, null)).toBe(copy)
    expect(exists("holdfast check --live --keep-snapshot ./kept '/srv/a b.db'")).toBe(true)
    expect(nextCommand(pinned, { ...live, copied: true }, null)).toBe('holdfast salvage --help')
    expect(nextCommand({ ...pinned, evidence: sealed }, { ...live, live: false }, null)).toBe(ask.command)
  })

  test.each(['IN_USE', 'LOCK_BUSY'] as const)('%s: check it live, or see who has it open', (code) => {
    const check = { mode: 'check', copied: false } as const
    expect(nextCommand(busy(code), check, null)).toBe("holdfast check --live '/srv/a b.db'")
    expect(nextCommand(busy(code), live, null)).toBe("holdfast holders '/srv/a b.db'")
    expect(nextCommand(busy(code), { ...check, copied: true }, null)).toBe("holdfast holders '/srv/a b.db'")
    expect(nextCommand({ ...busy(code), tenant: tenantId('acme') }, check, null)).toContain('holders')
  })
})

describe('hints', () => {
  const asked = [
    'doctor',
    'doctor --tenant acme',
    'resume --all',
    'resume acme',
    'resume --json --all',
    'status',
    'status --format nagios',
    'holders /srv/a.db',
    'check --snapshot a.db',
    'check --tenant acme',
    'sweep',
    'pull acme ./pulled',
    'compare a b',
    'history acme',
    'explain IN_USE',
  ]

  test.each(asked)('after `holdfast %s` none says to run it again', (words) => {
    for (const config of [null, '/srv/notes.yaml']) {
      for (const code of codes) {
        const hints = [
          failureKinds[code].hint,
          `run \`holdfast ${words}\` now`,
          ...(config === null ? [] : [`holdfast ${words} --config ${config}`]),
        ]
        for (const hint of hints) {
          const said = hintFor({ code, hint }, line(words, config))
          const plain = words
            .replace(/ ?--(?:json|format nagios)/, '')
            .replace('/srv/a.db', 'FILE')
            .replace('a.db', 'FILE')
          for (const command of commandsIn(said)) {
            expect(exists(command.replace(` --config ${config}`, '')), command).toBe(true)
            expect([`holdfast ${words}`, `holdfast ${plain}`]).not.toContain(command.replace(` --config ${config}`, ''))
          }
        }
      }
    }
  })

  test('a resume that failed is not advised again, whichever way it was asked for', () => {
    const { hint } = new Failure('RESUME_FAILED', 'acme')
    for (const words of ['resume --all', 'resume acme'])
      expect(hintFor({ code: 'RESUME_FAILED', hint }, line(words))).toMatch(/^read the log of the service/)
    expect(hintFor({ code: 'RESUME_FAILED', hint }, line('sweep'))).toBe(hint)
    const other = 'holdfast resume --config /srv/other.yaml acme'
    expect(hintFor({ code: 'RESUME_FAILED', hint: other }, line('resume --all'))).toBe(other)
    const sameFile = 'if the current settings are right: `holdfast resume --config /srv/notes.yaml bolt`'
    for (const config of [null, '/srv/notes.yaml'])
      expect(hintFor({ code: 'RESUME_FAILED', hint: sameFile }, line('resume --all', config))).toBe(sameFile)
    expect(hintFor({ code: 'RESUME_FAILED', hint: sameFile }, line('resume bolt', '/srv/notes.yaml'))).toMatch(
      /^read the log/,
    )
    const byName = 'ask the service which tenants are paused, and run `holdfast resume ID` for each'
    expect(hintFor({ code: 'LEDGER_UNUSABLE', hint: byName }, line('resume --all'))).toBe(byName)
  })

  test.each(codes)('%s: each command asks the service that was asked', (code) => {
    const said = hintFor({ code, hint: failureKinds[code].hint }, line('sweep', '/srv/my notes.yaml'))
    for (const command of commandsIn(said))
      expect(command.replace('holdfast fleet ', 'holdfast ')).toMatch(
        /^holdfast (?:--help|sweep --help|explain(?: |$)|holders |salvage |\w+ --config '\/srv\/my notes.yaml')/,
      )
  })

  test.each(codes)(
    '%s: its explanation does not send a person to itself, and names no placeholder for a key',
    (code) => {
      const { hint, otherwise } = failureKinds[code]
      for (const sentence of [hint, otherwise ?? ''])
        expect(sentence).not.toMatch(new RegExp(`explain (?:${code}|KEY)`))
    },
  )

  test('a sentence keeps what is no command, and a configuration that it names itself', () => {
    expect(withConfigurations('`holdfast pull ID DIR` or `ls`, holdfast doctor', '/c.yaml')).toBe(
      '`holdfast pull --config /c.yaml ID DIR` or `ls`, holdfast doctor',
    )
    expect(withConfigurations('`holdfast resume --config /d.yaml --all`', '/c.yaml')).toBe(
      '`holdfast resume --config /d.yaml --all`',
    )
    expect(withConfigurations('`holdfast doctor`', null)).toBe('`holdfast doctor`')
  })

  test.each([
    [['check', '--config', '/a.yaml', 'x'], '/a.yaml'],
    [['check', '--config=/a.yaml', 'x'], '/a.yaml'],
    [['check', '--config', '/a.yaml', '--config', '/b.yaml'], '/b.yaml'],
    [['check', '--', '--config', '/a.yaml'], null],
    [['check', 'x'], null],
    [['check', '--config'], null],
  ])('%j names the configuration %s', (words, config) => {
    expect(commandLineOf(['node', 'holdfast', ...words]).config).toBe(config)
  })
})

test('no sentence names a command that does not exist', () => {
  const lines = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => readFileSync(join('src', name), 'utf8').replaceAll('\\`', '`').split('\n'))
    .filter((text) => !/^\s*(?:\*|\/\/|\/\*\*)/.test(text))
  const named = (pattern: RegExp): ReadonlySet<string> =>
    new Set(lines.flatMap((text) => Array.from(text.matchAll(pattern), ([, command = '']) => command)))
  const quoted = named(/`holdfast ([a-z]+)[ `]/g)
  const known = program.commands.map((one) => one.name())
  expect(quoted.size).toBeGreaterThan(6)
  expect([...quoted].filter((command) => !known.includes(command))).toEqual([])
})
