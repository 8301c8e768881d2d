/** Ids of tenants that are files: printable, unique, and stable. */
import { expect, test } from 'vitest'
import { commonFolder, fileTenantId } from '../../../src/service/files/tenant-ids.ts'
import { printable } from '../../../src/text/printable.ts'

test.each([
  [['/srv/app'], '/srv/app'],
  [['/srv/a', '/srv/b'], '/srv'],
  [['/srv/a', '/srv/a/b'], '/srv/a'],
  [['/srv/app', '/srv/apple'], '/srv'],
  [['/srv', '/var/lib'], '/'],
])('the folder that %j share is %s', (folders, shared) => {
  expect(commonFolder(folders)).toBe(shared)
})

test('an id is the path below the folder', () => {
  expect(fileTenantId('/srv/app', '/srv/app/users/a b.db')).toBe('users/a b.db')
  expect(fileTenantId('/', '/var/lib/x.db')).toBe('var/lib/x.db')
})

test('letters that cannot be shown become bytes, and no two names have the same id', () => {
  const names = [
    'a\nb',
    'a%0Ab',
    'a\u202eb',
    'a\u001b[2Jb',
    'a\udce9b',
    'a%E9b',
    'a\u00e9b',
    'a\\nb',
    'a%b',
    'a%25b',
    'a\u00a0b',
  ]
  const ids = names.map((name) => fileTenantId('/s', `/s/${name}`))
  expect(new Set(ids).size).toBe(names.length)
  for (const id of ids) expect(printable(id)).toBe(id.replaceAll('\\', '\\\\'))
  expect(ids.slice(0, 2)).toEqual(['a%0Ab', 'a%250Ab'])
})
