/** Without /proc holdfast cannot know which processes live: each command that needs it says so, and touches nothing. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { launcher } from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'

const hiding = 'mount -t tmpfs none /proc && exec "$@"'
const unmounted = (args: readonly string[]): { readonly status: number | null; readonly said: string } => {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', hiding, 'sh', process.execPath, launcher, ...args],
    { encoding: 'utf8' },
  )
  return { status, said: stdout + stderr }
}
const canHide =
  process.geteuid?.() === 0 && spawnSync('unshare', ['--mount', 'sh', '-c', hiding, 'sh', 'true']).status === 0

test.skipIf(!canHide)(
  'every command that works on files or tenants names /proc and how to have it (skipped without mount namespaces)',
  async () => {
    using folder = makeFolder()
    const [one, other] = [makeDatabase(folder.in('one.db')), makeDatabase(folder.in('other.db'))]
    await using service = await openService()
    const config = ['--config', service.config]
    const commands = [
      ['check', one],
      ['check', '--snapshot', one],
      ['compare', one, other],
      ['holders', one],
      ['sweep', ...config],
      ['doctor', ...config],
      ['resume', '--all', ...config],
      ['pull', 'acme', folder.in('pulled'), ...config],
      ['status', ...config],
    ]
    for (const args of commands) {
      const { status, said } = unmounted(args)
      expect([args[0], status], said).toEqual([args[0], 1])
      expect(said).toMatch(/PLATFORM_UNSUPPORTED: \/proc is not mounted here.*\n.*mount -t proc proc \/proc/)
    }
    expect(service.actions).toEqual([])
    const document = JSON.parse(unmounted(['check', '--json', one]).said.split('\nholdfast: ')[0] ?? '') as unknown
    expect(document).toMatchObject({ schema: 'holdfast.report/1', failure: { code: 'PLATFORM_UNSUPPORTED' } })
  },
)

test.skipIf(!canHide)('explain needs no /proc (skipped without mount namespaces)', () => {
  expect(unmounted(['explain', 'IN_USE'])).toMatchObject({
    status: 0,
    said: expect.stringContaining('IN_USE') as string,
  })
})
