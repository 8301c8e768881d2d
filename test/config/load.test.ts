import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findConfiguration, loadSettings } from '../../src/config/load.ts'

const text = 'service: { name: notes, admin: unix:admin.sock }\ntenants: { roots: [data] }\n'
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const writeConfig = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}
const refusal = (why: RegExp) =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(why) as string }) as Error

test('a file is read and its paths count from its own folder', async () => {
  const settings = await loadSettings(writeConfig('holdfast.yaml', text))
  expect(settings.tenants.roots).toEqual([join(folder, 'data')])
  expect(settings.service).toMatchObject({ endpoint: { socket: join(folder, 'admin.sock') } })
})

test('the first place that has a file wins, and all of them are named when none has', async () => {
  const one = join(folder, 'one.yaml')
  const two = writeConfig('two.yaml', text)
  expect(await findConfiguration(null, [one, two])).toBe(two)
  expect(await findConfiguration(two, [one])).toBe(two)
  await expect(findConfiguration(null, [one, join(two, 'below')])).rejects.toEqual(
    refusal(/one\.yaml and no .*two\.yaml\/below$/),
  )
  await expect(findConfiguration(one, [two])).rejects.toEqual(refusal(/no .*one\.yaml$/))
})

test('what is no ordinary text file is refused and nothing waits for it', async () => {
  mkdirSync(join(folder, 'dir.yaml'))
  execFileSync('mkfifo', [join(folder, 'fifo.yaml')])
  const cases = [
    ['dir.yaml', /not a regular file/],
    ['fifo.yaml', /not a regular file/],
    ['none.yaml', /cannot read the configuration .*none\.yaml: no such file or directory \(ENOENT\)$/],
    ['big.yaml', /at most 1000000/],
    ['latin.yaml', /UTF-8/],
  ] as const
  writeConfig('big.yaml', '#'.repeat(1_000_001))
  writeConfig('latin.yaml', Uint8Array.of(0x61, 0xe4, 0x0a))
  for (const [name, why] of cases) await expect(loadSettings(join(folder, name))).rejects.toEqual(refusal(why))
  await expect(loadSettings('/dev/zero')).rejects.toEqual(refusal(/not a regular file/))
})

test('a file that everybody may write could name any command, and is refused', async () => {
  const path = writeConfig('holdfast.yaml', text)
  chmodSync(path, 0o666)
  await expect(loadSettings(path)).rejects.toEqual(refusal(/everybody may write/))
})

test('group write is refused too, on the file and on what leads to it; the refusal says what to type', async () => {
  const path = writeConfig('holdfast.yaml', text)
  chmodSync(path, 0o660)
  await expect(loadSettings(path)).rejects.toEqual(refusal(/its group \(gid \d+\) may write it \(mode 0660\)/))
  await expect(loadSettings(path)).rejects.toMatchObject({
    hint: expect.stringContaining(`chmod g-w ${path}`) as string,
  })
  mkdirSync(join(folder, 'shared'))
  chmodSync(join(folder, 'shared'), 0o775)
  await expect(loadSettings(writeConfig('shared/holdfast.yaml', text))).rejects.toEqual(
    refusal(/shared leads to it: its group/),
  )
})

test.skipIf(process.getuid?.() !== 0)(
  'one of another user is refused, directly and by a link to it (skipped unless root)',
  async () => {
    const path = writeConfig('theirs.yaml', text)
    chownSync(path, 65_533, 65_533)
    symlinkSync(path, join(folder, 'holdfast.yaml'))
    for (const named of [path, join(folder, 'holdfast.yaml')])
      await expect(loadSettings(named)).rejects.toEqual(refusal(/belongs to another user \(uid 65533, mode 0600\)/))
  },
)
