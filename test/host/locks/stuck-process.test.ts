/** A process that is stuck in its memory keeps no search, and no thread for files but those of the first one. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startOtherProcess, temporaryFolder } from '../../support/host/other-process.ts'
import { repository } from '../../support/processes.ts'

const inOwnNamespace = (line: string, ...words: readonly string[]) =>
  spawnSync('unshare', ['--mount', 'sh', '-ec', line, 'sh', ...words], {
    cwd: repository,
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
const isRoot = process.geteuid?.() === 0
const canMount = isRoot && inOwnNamespace('mount --bind /dev/null /proc/$$/maps').status === 0

test.skipIf(!canMount)(
  'a search names what it could not see, and the next ones do not wait (skipped if /proc takes no mounts)',
  async () => {
    using folder = temporaryFolder()
    const file = folder.file('a.db')
    writeFileSync(file, Buffer.alloc(4096))
    const pipe = folder.file('pipe')
    execFileSync('mkfifo', [pipe])
    await using other = await startOtherProcess()
    await other.open(file, 'read')
    const program = 'test/support/programs/stuck-neighbour.ts'
    const line = 'mount --bind "$1" "/proc/$2/maps" && shift 2 && exec "$@"'
    const words = [pipe, String(other.pid), process.execPath, program, file, String(other.pid)]
    const { stdout, stderr } = inOwnNamespace(line, ...words)
    const unseen = `the mapped files of 1 process that do not show them now (pid ${other.pid})`
    expect(stdout, stderr).not.toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      first: expect.arrayContaining([unseen]) as unknown,
      last: expect.arrayContaining([unseen]) as unknown,
      holders: [true],
      storing: [true], // It may store into the file: nobody can see that it does not.
      isReading: true,
      isSoon: true,
    })
  },
  90_000,
)
