/** `service.files`: patterns instead of a service. */
import { describe, expect, test } from 'vitest'
import { parseSettings } from '../../src/config/parse.ts'
import { wayOf } from '../../src/config/service-way.ts'
import { file, problemsOf } from '../support/config/problems.ts'

const of = (files: unknown, more = ''): string => `service: { name: n, files: ${JSON.stringify(files)} }\n${more}`

test('the fixed parts are the roots, and the folders of holdfast are no part of the service', () => {
  const { service, tenants } = parseSettings(of(['/srv/a/**/*.db', '/srv/b/x.db', '/srv/a/*.sqlite']), file)
  expect(tenants.roots).toEqual(['/srv/a', '/srv/b'])
  expect(service).toEqual({
    kind: 'files',
    name: 'n',
    patterns: ['/srv/a/**/*.db', '/srv/b/x.db', '/srv/a/*.sqlite'],
    roots: ['/srv/a', '/srv/b'],
    own: [
      '/var/lib/holdfast',
      '/var/lib/holdfast/snapshots',
      '/var/lib/holdfast/quarantine',
      '/var/lib/holdfast/accounts',
    ],
  })
})

test('roots that are given count', () => {
  const { service, tenants } = parseSettings(
    of(['/srv/a/*.db'], 'tenants: { roots: [/srv] }\nbackups: { dir: /b }'),
    file,
  )
  expect([tenants.roots, service.kind === 'files' && service.roots]).toEqual([['/srv'], ['/srv']])
  expect(service).toMatchObject({ own: expect.arrayContaining(['/b']) as unknown })
})

test('relative patterns count from the folder of the configuration', () => {
  const { service } = parseSettings(of(['data/*.db', './x//y.db']), file)
  expect(service).toMatchObject({ patterns: ['/etc/holdfast/data/*.db', '/etc/holdfast/x/y.db'] })
})

test('other patterns are the same service, another configuration is not', () => {
  const way = (files: readonly string[], at: string): string => wayOf(parseSettings(of(files), at)).address
  expect(way(['/srv/a/*.db'], file)).toBe(way(['/srv/b/*.db'], file))
  expect(way(['/srv/a/*.db'], file)).not.toBe(way(['/srv/a/*.db'], '/etc/other.yaml'))
})

describe('what is wrong is said with its place', () => {
  test.each([
    [
      'no pattern',
      of([]),
      '1:28: service.files: expected a list of patterns such as ["/srv/app/*.sqlite"], found an empty list',
    ],
    [
      'one text',
      of('/srv/*.db'),
      '1:28: service.files: expected a list of patterns such as ["/srv/app/*.sqlite"], found the text',
    ],
    ['the whole machine', of(['/**/*.db']), '1:28: service.files must begin with the path of a folder'],
    ['a folder', of(['/srv/app/']), '1:28: service.files must begin with the path of a folder'],
    ['a step up', of(['/srv/*/../x.db']), '1:28: service.files must not have .. in it'],
    ['an open brace', of(['/srv/{a/b}.db']), '1:28: service.files must not have a / within { } or [ ]'],
    ['a zero byte', of(['/srv/a\0.db']), '1:28: service.files: expected a list of patterns'],
  ])('%s', (_, text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(problem)])
  })

  test('beside an admin API, hooks, or what belongs to these', () => {
    expect(problemsOf('service: { name: n, admin: unix:/a, files: [/srv/x.db] }\n')).toEqual([
      '1:37: service.files cannot be used with service.admin: a service has an admin API or files, not both',
    ])
    const hooks = 'hooks: { tenants: [t], quiesce: [q, "{tenant}"], resume: [r, "{tenant}"] }'
    expect(problemsOf(`service: { name: n, files: [/srv/x.db], ${hooks} }\n`)).toEqual([
      '1:21: service.files cannot be used with service.hooks: a service has hooks or files, not both',
    ])
    expect(problemsOf('service: { name: n, files: [/srv/x.db], tokenFile: /t }\n')).toEqual([
      '1:41: service.tokenFile belongs to an admin API; files do not use it',
    ])
  })

  test('roots are needed without it', () => {
    expect(problemsOf('service: { name: n, admin: unix:/a }\ntenants: {}\n')).toEqual([
      '2:1: tenants.roots is missing: expected a list of folders such as [/srv/notes]',
    ])
  })
})
