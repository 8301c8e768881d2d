import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { deviceName, fileSystemOf, freeBytes, mountOf, parseMountInfo } from '../../../src/host/files/file-system.ts'
import { mount, whyNoMount } from '../../support/host/mounts.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

const text = String.raw`27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
26 24 0:25 / /srv/a\040b\134c\011d rw,relatime shared:4 master:2 - tmpfs none rw,size=24k
30 27 0:40 / /srv/notes rw,relatime - nfs4 filer:/export/notes\0401 ro,vers=4.2
31 27 254:0 /inner /srv/bind ro,nosuid - ext4 /dev/vda rw
32 27 0:50 /@data /srv/btrfs rw - btrfs /dev/vdb rw,subvol=/@data
33 27 0:51 / /mnt rw - tmpfs first rw
34 27 0:52 / /mnt rw - fuse.sshfs host:/x rw
this is no line of that file
35 27 0:60 / /proc rw - proc proc rw,hidepid=2

`
const mounts = parseMountInfo(text)
const at = (path: string, device: string) => mountOf(path, device, mounts)

test('every line of mountinfo is read, with optional fields or none, and its escapes are undone', () => {
  expect(mounts).toHaveLength(8)
  expect(mounts[1]).toMatchObject({
    mountPoint: '/srv/a b\\c\td',
    type: 'tmpfs',
    source: 'none',
    device: '0:25',
    readOnly: false,
  })
  expect(mounts[2]).toMatchObject({ type: 'nfs4', source: 'filer:/export/notes 1' })
  expect(mounts[7]?.superOptions).toEqual(['rw', 'hidepid=2'])
})

test('a path belongs to the innermost mount above it that has its device', () => {
  expect(at('/srv/notes/acme.db', '0:40').type).toBe('nfs4')
  expect(at('/srv/notes-not/acme.db', '254:0').mountPoint).toBe('/')
  expect(at('/srv/bind/acme.db', '254:0').mountPoint).toBe('/srv/bind')
  expect(at('/srv/notes', '0:40').mountPoint).toBe('/srv/notes')
  expect(at('/', '254:0').mountPoint).toBe('/')
})

test('where no mount has the device, as on btrfs, the innermost counts; of several on one point the last', () => {
  expect(at('/srv/btrfs/x', '0:77').type).toBe('btrfs')
  expect(at('/mnt/x', '0:99').type).toBe('fuse.sshfs')
  expect(at('/mnt/x', '0:51').source).toBe('first')
})

test('read-only is seen on the mount and on the file system beneath', () => {
  expect(at('/srv/bind/x', '254:0').readOnly).toBe(true)
  expect(at('/srv/notes/x', '0:40').readOnly).toBe(true)
  expect(at('/x', '254:0').readOnly).toBe(false)
})

test('device numbers are written as the kernel writes them', () => {
  expect(deviceName(0xfe00n)).toBe('254:0')
  expect(deviceName(0x19n)).toBe('0:25')
  expect(deviceName((0x12000n << 32n) | (5n << 8n) | (0x345n << 20n) | 7n)).toBe('73733:214279')
})

test('the file system of a path here is found through links, and its free room is counted', async () => {
  using folder = temporaryFolder('/dev/shm')
  using elsewhere = temporaryFolder()
  symlinkSync(folder.path, elsewhere.file('link'))
  expect(await fileSystemOf(elsewhere.file('link'))).toMatchObject({
    type: 'tmpfs',
    mountPoint: '/dev/shm',
    readOnly: false,
  })
  expect(await freeBytes(folder.path)).toBeGreaterThan(0)
  expect((await fileSystemOf('/proc/self/status')).type).toBe('proc')
  await expect(fileSystemOf(folder.file('missing'))).rejects.toMatchObject({ code: 'ENOENT' })
})

const why = whyNoMount('overlay')
test.skipIf(why !== null)(
  'an overlay is known as one, though its files may have other device ' +
    `numbers${why === null ? '' : ` (skipped: ${why})`}`,
  async () => {
    using mounted = mount('overlay', 0)
    expect(await fileSystemOf(`${mounted.path}/below.bin`)).toMatchObject({ type: 'overlay', mountPoint: mounted.path })
    writeFileSync(`${mounted.path}/new.bin`, '')
    expect(await fileSystemOf(`${mounted.path}/new.bin`)).toMatchObject({ type: 'overlay', mountPoint: mounted.path })
    expect(statSync(`${mounted.path}/new.bin`).size).toBe(0)
  },
)
