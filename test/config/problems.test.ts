/** What is wrong with a configuration is reported with line and column. */

import { describe, expect, test } from 'vitest'
import { explainKeys } from '../../src/config/reference/explain-keys.ts'
import { least, problemsOf, refusalOf } from '../support/config/problems.ts'

describe('what is wrong is reported with line and column', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'an unknown key, with the nearest known one',
      `${least}hold:\n  ttl: 30s\n  maxpaused: 2\n`,
      ['5:3: unknown key hold.maxpaused: did you mean maxPaused?'],
    ],
    ['an unknown section', `${least}Holds: {}\n`, ['3:1: unknown key Holds: did you mean hold?']],
    [
      'an unknown key that is near to nothing',
      `${least}snapshots: { folder: /x }\n`,
      ['3:14: unknown key snapshots.folder: the keys here are dir'],
    ],
    [
      'an unknown key two levels down',
      'service: { name: n, hooks: { tenants: [t], quiesce: [q, "{tenant}"], resume: ' +
        `[r, "{tenant}"], timout: 1s } }\ntenants: { roots: [/srv] }\n`,
      ['1:95: unknown key service.hooks.timout: did you mean timeout?'],
    ],
    [
      'a number without its unit',
      `${least}hold: { ttl: 30 }\n`,
      ['3:14: hold.ttl: expected a duration such as 30s, found the number 30'],
    ],
    [
      'a size in a unit that does not exist',
      `${least}hold:\n  warmAbove: 8XB\n`,
      ['4:14: hold.warmAbove: expected a size such as 8MB, found the text "8XB"'],
    ],
    [
      'a duration out of range',
      `${least}hold: { ttl: 5m, maxPause: 1ms }\n`,
      ['3:28: hold.maxPause: expected a duration such as 10s between 10ms and 1h, found the text "1ms"'],
    ],
    [
      'a word that is none of the known',
      `${least}hold: { require: none }\n`,
      ['3:18: hold.require: expected one of sealed, exclusive, writer-locked, pinned, found the text "none"'],
    ],
    [
      'a level of a list that is none of the known',
      `${least}hold:\n  require:\n    - pined\n    - sealed\n`,
      ['5:7: hold.require[0].level: expected one of sealed, exclusive, writer-locked, pinned, found the text "pined"'],
    ],
    [
      'an unknown key of a level, with the nearest known one',
      `${least}hold:\n  require:\n    - level: pinned\n      tenant: [wiki]\n`,
      ['6:7: unknown key hold.require[0].tenant: did you mean tenants?'],
    ],
    [
      'a level for no tenant, and tenants without a level',
      `${least}hold:\n  require:\n    - { level: pinned, tenants: [] }\n    - { tenants: [wiki] }\n`,
      [
        '5:33: hold.require[0].tenants: expected a list of patterns of ids such as ["wiki-*"], found an empty list',
        '6:7: hold.require[1].level is missing: expected one of sealed, exclusive, writer-locked, pinned',
      ],
    ],
    [
      'levels after one that is for all tenants',
      `${least}hold:\n  require: [{ level: pinned, tenants: [wiki] }, sealed, pinned, { level: pinned }]\n`,
      ['57: hold.require[2]', '65: hold.require[3]'].map(
        (where) =>
          `4:${where} never counts, because hold.require[1] is for all tenants: put rules with tenants before it`,
      ),
    ],
    [
      'a number for a level',
      `${least}hold: { require: 5 }\n`,
      ['3:18: hold.require: expected one of sealed, exclusive, writer-locked, pinned, or a list of levels'],
    ],
    [
      'an unknown key of live, with the nearest known one',
      `${least}live:\n  maxpin: 5s\n`,
      ['4:3: unknown key live.maxpin: did you mean maxPin?'],
    ],
    [
      'a wait that is shorter than what SQLite itself sleeps',
      `${least}live: { maxWriterWait: 100ms }\n`,
      ['3:24: live.maxWriterWait: expected a duration such as 500ms between 130ms and 1m, found the text "100ms"'],
    ],
    ['a list where a section belongs', `${least}hold: [1]\n`, ['3:7: hold: expected a section of keys']],
    ['a missing tenants section', 'service: { name: n, admin: unix:/a }\n', ['1:1: tenants is missing']],
    [
      'no roots',
      'service: { name: n, admin: unix:/a }\ntenants: { roots: [] }\n',
      ['2:19: tenants.roots: expected a list of folders such as [/srv/notes], found an empty list'],
    ],
    [
      'a root that is no text',
      'service: { name: n, admin: unix:/a }\ntenants: { roots: [5] }\n',
      [
        '2:19: tenants.roots: expected a list of folders such as [/srv/notes]; ' +
          'each item must be the path of a folder, found the number 5',
      ],
    ],
    [
      'a name with a slash',
      'service: { name: a/b, admin: unix:/a }\ntenants: { roots: [/srv] }\n',
      [
        '1:18: service.name: expected the name of the service: letters, digits, ' +
          'dots and dashes, such as notes, found the text "a/b"',
      ],
    ],
    [
      'no way to the service',
      'service: { name: n }\ntenants: { roots: [/srv] }\n',
      [
        '1:1: service needs admin, hooks or files: admin: unix:/path/of/admin.sock, or hooks: with the commands ' +
          'tenants, quiesce and resume, or files: with patterns such as "/srv/app/*.sqlite" for a program that ' +
          'cannot be paused',
      ],
    ],
    [
      'two ways to the service',
      'service: { name: n, admin: unix:/a, hooks: { tenants: [t], quiesce: [q, ' +
        '"{tenant}"], resume: [r, "{tenant}"] } }\ntenants: { roots: [/srv] }\n',
      ['1:37: service.hooks cannot be used with service.admin: a service has an admin API or hooks, not both'],
    ],
    [
      'plain http, with the reason',
      'service: { name: n, admin: "http://127.0.0.1:80" }\ntenants: { roots: [/srv] }\n',
      [
        '1:28: service.admin: plain http would send the token and the lease unprotected: ' +
          'use unix:/path/of/admin.sock on this machine, or https://host:port',
      ],
    ],
    [
      'https without a token',
      'service: { name: n, admin: "https://host:1" }\ntenants: { roots: [/srv] }\n',
      [
        '1:1: service tokenFile is missing: over https the service knows holdfast by ' +
          'its token, such as tokenFile: /etc/holdfast/notes.token',
      ],
    ],
    [
      'a password in the address',
      'service: { name: n, tokenFile: t, admin: "https://me:secret@host" }\ntenants: { roots: [/srv] }\n',
      ['1:42: service.admin must not carry a user or password: name a token file with service.tokenFile'],
    ],
    [
      'a hook that never learns its tenant',
      'service: { name: n, hooks: { tenants: [t], quiesce: [q, tenant], ' +
        'resume: [r, "{tenant}"] } }\ntenants: { roots: [/srv] }\n',
      [
        '1:53: service.hooks.quiesce must have the word "{tenant}" among its ' +
          'arguments, such as [notesctl, pause, "{tenant}"]',
      ],
    ],
    [
      'a command as one text',
      'service: { name: n, hooks: { tenants: list me, quiesce: [q, "{tenant}"], ' +
        'resume: [r, "{tenant}"] } }\ntenants: { roots: [/srv] }\n',
      [
        '1:39: service.hooks.tenants: expected a command as a list of words such as ' +
          '[notesctl, tenants], found one text: commands are run without a shell',
      ],
    ],
    ['the same key twice', `${least}hold: { ttl: 5s }\nhold: { ttl: 6s }\n`, ['4:1: this key is here a second time']],
    ['a tab', `${least}hold:\n\tttl: 5s\n`, ['4:1: a tab indents this line: use spaces']],
    ['two documents', `${least}---\n${least}`, ['3:1: a second document begins here: a configuration is one document']],
    [
      'an anchor and its alias',
      'service: &s { name: n, admin: unix:/a }\ntenants: *s\n',
      [
        '1:13: anchors, aliases and tags are not understood here: write the value out',
        '2:10: anchors, aliases and tags are not understood here: write the value out',
      ],
    ],
    [
      'a tag',
      `${least}hold: { ttl: !!str 5s }\n`,
      ['3:20: anchors, aliases and tags are not understood here: write the value out'],
    ],
    [
      'a socket whose path the kernel would cut',
      `service: { name: n, admin: unix:/${'a'.repeat(107)} }\ntenants: { roots: [/srv] }\n`,
      ['1:28: service.admin: the path of a socket has at most 107 bytes, this one has 108'],
    ],
    [
      'a NUL in a path',
      `${least}ledger: { dir: "/a\\0b" }\n`,
      ['3:16: ledger.dir: expected the path of a folder, found the text "/a\\u0000b"'],
    ],
  ]
  test.each(cases)('%s', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems)
  })

  test('an empty file lacks what cannot be left out', () => {
    expect(problemsOf('')).toEqual(['1:1: service is missing', '1:1: tenants is missing'])
  })

  test('all at once and in order', () => {
    const text =
      'service: { nam: n, admin: "http://x" }\ntenants: { roots: /srv ' +
      '}\nhold:\n  ttl: soon\n  require: sealed\nsweeep: {}\n'
    expect(problemsOf(text)).toEqual([
      '1:1: service.name is missing: expected the name of the service: letters, digits, dots and dashes, such as notes',
      '1:12: unknown key service.nam: did you mean name?',
      '1:27: service.admin: plain http would send the token and the lease unprotected: ' +
        'use unix:/path/of/admin.sock on this machine, or https://host:port',
      '2:19: tenants.roots: expected a list of folders such as [/srv/notes], found the text "/srv"',
      '4:8: hold.ttl: expected a duration such as 30s, found the text "soon"',
      '6:1: unknown key sweeep: did you mean sweep?',
    ])
  })
})

test('the hint names a key that `explain` knows, and none if the problem is about no key', () => {
  const known = new Set(explainKeys().map(({ topic }) => topic))
  const hintOf = (text: string): string => refusalOf(text)?.hint ?? ''
  const keyIn = (text: string): string => /`holdfast explain (\S+)`/.exec(hintOf(text))?.[1] ?? ''
  expect(keyIn(`${least}hold: { ttl: 30 }\n`)).toBe('hold.ttl')
  expect(keyIn(`${least}hold:\n  maxpaused: 2\n`)).toBe('hold.maxPaused')
  expect(keyIn(`${least}snapshots: { folder: /x }\n`)).toBe('snapshots')
  expect(keyIn('service: { name: n, admin: unix:/a }\ntenants: { roots: [5] }\n')).toBe('tenants.roots')
  expect(keyIn(`${least}check: { accept: [{ limit: unknown-module, table: [x] }] }\n`)).toBe('check.accept')
  expect(keyIn(`${least}alerts: [{ webhok: "https://a" }]\n`)).toBe('alerts')
  for (const wrong of ['Holds: {}', 'backups: { keep: { last: 0 } }', 'sweep: 5', 'hold: { ttl: 5m, maxPause: 1ms }'])
    expect(known).toContain(keyIn(`${least}${wrong}\n`))
  expect(hintOf('{ [')).not.toContain('explain hold')
})
