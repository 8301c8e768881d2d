/** A process that is stuck in its memory keeps no search, and no thread for files but those of the first one. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeDatabase } from '../../support/cli/folder.ts'
import { launcher } from '../../support/cli/program.ts'
import { startOtherProcess, temporaryFolder } from '../../support/host/other-process.ts'
import { repository } from '../../support/processes.ts'

const inOwnNamespace = (line: string, ...words: readonly string[]) =>
  spawnSync('unshare', ['--mount', 'sh', '-ec', line, 'sh', ...words], {
    cwd: repository,
    encoding: 'utf8',
    timeout: 240_000,
    killSignal: 'SIGKILL',
  })
const isRoot = process.geteuid?.() === 0
const canMount = isRoot && inOwnNamespace('mount --bind /dev/null /proc/$$/maps').status === 0

/** The words run where the mappings of a process are a pipe without a writer: who reads them waits in the kernel. */
function besideStuck(folder: ReturnType<typeof temporaryFolder>, pid: number, ...words: readonly string[]) {
  const pipe = folder.file('pipe')
  execFileSync('mkfifo', [pipe])
  return inOwnNamespace('mount --bind "$1" "/proc/$2/maps" && shift 2 && exec "$@"', pipe, String(pid), ...words)
}

test.skipIf(!canMount)(
  'a search goes on past it, names what it could not see, and no thread is lost (skipped if /proc takes no mounts)',
  async () => {
    using folder = temporaryFolder()
    const file = folder.file('a.db')
    writeFileSync(file, Buffer.alloc(4096))
    await using stuck = await startOtherProcess()
    await stuck.open(file, 'read')
    await using later = await startOtherProcess() // Its pid is looked at afterwards.
    await later.open(file, 'read')
    const program = 'test/support/programs/stuck-neighbour.ts'
    const { stdout, stderr } = besideStuck(folder, stuck.pid, process.execPath, program, file)
    expect(stdout, stderr).not.toBe('')
    expect(JSON.parse(stdout)).toEqual({
      holders: [stuck.pid, later.pid],
      unseen: expect.arrayContaining([
        `the mapped files of 1 process that do not show them now (pid ${stuck.pid})`,
      ]) as unknown,
      isWhole: false,
      storing: [stuck.pid], // It may store into the file: nobody can see that it does not.
      isReading: true,
    })
  },
)

test.skipIf(!canMount)('a check that was refused beside such a process ends, and names the holder', async () => {
  using folder = temporaryFolder()
  const file = makeDatabase(folder.file('a.db'))
  await using other = await startOtherProcess()
  await other.open(file, 'write')
  const { status, stdout, stderr } = besideStuck(folder, other.pid, process.execPath, launcher, 'check', file)
  expect([status, stdout + stderr]).toEqual([75, expect.stringContaining(`pid ${other.pid}`)])
})

test.skipIf(!canMount)(
  'where only the open-file table says who has a file, a process that does not show its mappings may be one',
  async () => {
    using folder = temporaryFolder()
    const file = makeDatabase(folder.file('a.db'), { wal: true })
    await using stuck = await startOtherProcess()
    const words = [process.execPath, launcher, 'check', '--live', file]
    const { status, stdout, stderr } = besideStuck(folder, stuck.pid, ...words)
    expect([status, stdout + stderr]).toEqual([
      75,
      expect.stringContaining('it cannot be seen whether another program'),
    ])
  },
)
