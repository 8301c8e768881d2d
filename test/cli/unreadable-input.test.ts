/** Names that lead to no readable file: sockets, devices, and files that holdfast may not read. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { shortVerdict, holdfast, launcher, reportIn, reportOf, single } from '../support/cli/program.ts'

test('sockets and devices are named for what they are, without being opened', async () => {
  using folder = makeFolder()
  const server = createServer().listen(folder.in('socket.db'))
  await once(server, 'listening')
  try {
    const report = reportIn(
      await holdfast([
        'check',
        '--json',
        folder.in('socket.db'),
        '/dev/null',
        '/dev/tty',
        '/proc/self/status',
        '/dev/fd/0',
      ]),
    )
    const said = new Map(report.results.map((result) => [result.path, [shortVerdict(result), result.failure?.message]]))
    for (const [path, kind] of [
      [folder.in('socket.db'), 'a socket'],
      ['/dev/null', 'a device'],
      ['/dev/tty', 'a device'],
    ] as const) {
      expect(said.get(path)).toEqual(['failed NOT_A_FILE', expect.stringContaining(kind)])
    }
    expect(report.summary.exitCode).not.toBe(0)
    const copies = reportIn(
      await holdfast(['check', '--snapshot', '--json', folder.in('socket.db'), '/dev/null', '/dev/zero']),
    )
    expect(copies.results.map(shortVerdict)).toEqual(['failed NOT_A_FILE', 'failed NOT_A_FILE', 'failed NOT_A_FILE'])
  } finally {
    server.close()
  }
})

test.skipIf(process.getuid?.() !== 0)(
  'a loop device over a database is a device (skipped unless root)',
  async ({ skip }) => {
    using folder = makeFolder()
    const file = makeDatabase(folder.in('image.db'))
    let device: string
    try {
      device = execFileSync('losetup', ['-r', '--find', '--show', file], { encoding: 'utf8' }).trim()
    } catch {
      return skip('this machine gives no loop devices')
    }
    try {
      expect(shortVerdict(single(await reportOf(['check', device])))).toBe('failed NOT_A_FILE')
      expect(shortVerdict(single(await reportOf(['check', '--snapshot', device])))).toBe('failed NOT_A_FILE')
    } finally {
      execFileSync('losetup', ['-d', device])
    }
  },
)

test.skipIf(process.getuid?.() !== 0)(
  'a file and a folder that may not be read are failed, and the others ' +
    'are checked (as another user; skipped unless root)',
  async () => {
    using folder = makeFolder()
    chmodSync(folder.path, 0o755)
    makeDatabase(folder.in('a-closed.db'))
    chmodSync(folder.in('a-closed.db'), 0o600)
    const own = makeDatabase(folder.in('b-own.db'))
    execFileSync('chown', ['65534:65534', own])
    mkdirSync(folder.in('locked'), { mode: 0o700 })
    const ran = runAs(65_534, ['check', '--json', folder.in('a-closed.db'), own, folder.in('locked/x.db')])
    const report = reportIn(ran)
    expect(
      Object.fromEntries(
        report.results.map((result) => [result.path.slice(folder.path.length + 1), shortVerdict(result)]),
      ),
    ).toEqual({ 'a-closed.db': 'failed NO_PERMISSION', 'b-own.db': 'sound', 'locked/x.db': 'failed NO_PERMISSION' })
    expect(ran.code).toBe(1)
    const listing = reportIn(runAs(65_534, ['check', '--json', folder.in('locked')]))
    expect([listing.failure?.code, listing.summary.exitCode]).toEqual(['NO_PERMISSION', 1])
  },
)

function runAs(uid: number, args: readonly string[]): { code: number; stdout: string; stderr: string } {
  const script =
    `process.setgid(${uid}); process.setuid(${uid}); process.argv = [process.argv[0], ` +
    'process.env.LAUNCHER, ...JSON.parse(process.env.ARGUMENTS)]; await import(process.env.LAUNCHER)'
  try {
    const stdout = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: '/',
      env: { PATH: process.env['PATH'], LAUNCHER: launcher, ARGUMENTS: JSON.stringify(args) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { code: 0, stdout, stderr: '' }
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
    return { code: status, stdout, stderr }
  }
}
