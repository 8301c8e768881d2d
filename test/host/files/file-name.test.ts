import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { argumentsOf, nameOf, onDisk } from '../../../src/host/files/file-name.ts'

const bytesOf = (name: string): Buffer => Buffer.from(onDisk(name))

test('whatever bytes a name has, it comes back as the same bytes, and no two names are one string', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (name) => {
      expect(bytesOf(nameOf(Buffer.from(name)))).toEqual(Buffer.from(name))
    }),
  )
})

test('a name in UTF-8 is itself, and so is one that holds the letter which stands for bytes that are none', () => {
  for (const name of ['app.db', 'größe-数据 🙂.db', 'a\ufffdb', ' ', '']) {
    expect(nameOf(Buffer.from(name))).toBe(name)
    expect(onDisk(name)).toBe(name)
  }
})

test('a name below a folder in UTF-8 keeps the bytes of both', () => {
  const name = nameOf(Buffer.from('caf\xe9.db', 'latin1'))
  expect(bytesOf(`größe 🙂/${name}-wal`)).toEqual(
    Buffer.concat([Buffer.from('größe 🙂/'), Buffer.from('caf\xe9.db-wal', 'latin1')]),
  )
  expect(JSON.parse(JSON.stringify(name))).toBe(name)
})

test('arguments that are not UTF-8 are read from the kernel; all others are left as they are', () => {
  const commandLine = Buffer.from('node\0--some-option\0bin/holdfast.js\0check\0caf\xe9.db\0\0', 'latin1')
  const [, , ...given] = argumentsOf(['/usr/bin/node', '/x/bin/holdfast.js', 'check', 'caf\ufffd.db', ''], commandLine)
  expect(given).toEqual(['check', 'caf\udce9.db', ''])
  const plain = ['/usr/bin/node', '/x/bin/holdfast.js', 'check', 'app.db']
  expect(argumentsOf(plain, commandLine)).toBe(plain)
  const lost = ['/usr/bin/node', '/x/bin/holdfast.js', '\ufffd']
  expect(argumentsOf(lost, null)).toBe(lost)
})
