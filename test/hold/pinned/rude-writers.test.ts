/**
 * Programs that ignore SQLite's locks (hold/pinned/README.md L10): what they do to the main file while it is copied
 * shows in its times, its size or its inode, without a WAL and with one that no program has open.
 */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { whySkipped } from '../../support/host/mounts.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'
import { createBook, pinOptions, soundBook, takePinned } from '../../support/pinned/pinned-files.ts'
import { noPython, startSqliteProgram } from '../../support/pinned/sqlite-program.ts'

let fixture: BookScene['fixture']
let file: string
beforeEachBook(null, (scene) => ({ fixture, file } = scene))

function python(code: string): void {
  const { status, stderr } = spawnSync(
    'python3',
    ['-c', `import mmap, os, shutil, sys\nf = sys.argv[1]\n${code}`, file],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)
}

const actions = {
  'writes with its times set back':
    "s=os.stat(f);d=os.open(f,1);os.pwrite(d,b'X',9000);os.utime(f,ns=(s.st_atime_ns,s.st_mtime_ns))",
  appends: "open(f,'ab').write(b'X')",
  'stores through a mapping': 'd=os.open(f,2);m=mmap.mmap(d,0);m[9000]=88',
  'replaces the file': "shutil.copy(f,f+'n');os.rename(f+'n',f)",
}

describe.each(['delete', 'wal'] as const)('a program that ignores the locks (journal_mode=%s)', (mode) => {
  it.skipIf(noPython !== null).each(Object.entries(actions))(
    `L10: and %s while the file is copied is seen${whySkipped(noPython)}`,
    async (_, code) => {
      createBook(file, mode)
      let done = 0
      const once = (): void => {
        if (done++ === 0) python(code)
      }
      const held = await fixture.holdBare(file, pinOptions({ on: { proven: once } }))
      if (held.kind !== 'snapshot') throw held.failure
      await held.snapshot[Symbol.asyncDispose]()
      expect(held.record.evidence.attempts).toBe(2)
      expect(fixture.remainingFiles()).toEqual([])
    },
  )
})

it.skipIf(noPython !== null)(`L10: unix-none writes under the lock, and is seen${whySkipped(noPython)}`, async () => {
  createBook(file)
  await using program = await startSqliteProgram('python', file, { vfs: 'unix-none' })
  let written = 0
  const write = (): void => {
    if (written++ === 0) expect(program.run("insert into book(title) values ('rude')")).toBe('done')
  }
  const { copy, held } = await takePinned(fixture, file, { on: { proven: write } })
  expect(held.record.evidence.attempts).toBe(2)
  expect(copy).toEqual(soundBook(4))
})

it.skipIf(noPython !== null)(
  `L10: a transaction of unix-none that is half written is not called sound${whySkipped(noPython)}`,
  async () => {
    createBook(file)
    await using program = await startSqliteProgram('python', file, { vfs: 'unix-none' })
    program.run('pragma cache_size=5')
    program.run('begin immediate;update page set edition=2,body=randomblob(2000)')
    // Its journal has a header, and no RESERVED of its own stands: it is taken for hot, and the copy is healed by it.
    const { copy, pin } = await takePinned(fixture, file)
    expect(pin).toMatchObject({ journal: 'hot' })
    expect(copy).toEqual(soundBook(3))
    expect(program.run('commit')).toBe('done')
  },
)
