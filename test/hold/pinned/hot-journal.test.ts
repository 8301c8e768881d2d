/**
 * Databases whose last transaction was interrupted after it had written into the file (hold/pinned/README.md L12): the
 * journal goes with the copy, which heals itself. The live file is healed by its own program alone.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { expect, it } from 'vitest'
import { appendTrailer } from '../../support/databases/trailer.ts'
import { footprint } from '../../support/hold/expect-unlocked.ts'
import { beforeEachBook, type BookScene } from '../../support/pinned/book-scene.ts'
import { pinOptions, readBook, soundBook, takePinned } from '../../support/pinned/pinned-files.ts'
import { programKinds, startSqliteProgram } from '../../support/pinned/sqlite-program.ts'

let fixture: BookScene['fixture']
let folder: BookScene['folder']
let file: string
beforeEachBook('delete', (scene) => ({ fixture, folder, file } = scene))

/** A program with a small cache dies in a transaction over all pages, most of which it has written into the file. */
async function interrupt(): Promise<void> {
  await using program = await startSqliteProgram('node', file)
  program.run('pragma cache_size=5')
  expect(program.run('begin immediate;update page set edition=2,body=randomblob(2000)')).toBe('done')
  await program.kill()
  expect(readFileSync(`${file}-journal`)[0]).not.toBe(0)
}

/** What SQLite makes of copies of the file and, if wanted, of its journal. */
function copyOfFiles(parts: readonly string[]): unknown {
  const copy = folder.file('copied.db')
  for (const part of parts) copyFileSync(file + part, copy + part)
  try {
    return readBook(copy)
  } finally {
    for (const part of ['', '-journal']) rmSync(copy + part, { force: true })
  }
}

it.each(programKinds)(
  'L12: a hot journal is copied, the copy heals itself, and the file waits for its program (%s)',
  async (kind) => {
    await interrupt()
    const before = footprint(file)
    const { copy, pin } = await takePinned(fixture, file)
    expect(copy).toEqual(soundBook(3))
    expect(pin).toMatchObject({ branch: 'rollback-journal', journal: 'hot' })
    expect(footprint(file)).toEqual(before)

    await using program = await startSqliteProgram(kind, file)
    expect(program.run('select distinct edition from page')).toBe('[[1]]')
    expect(readBook(file)).toEqual(soundBook(3))
  },
)

it('L12: without its journal the copy would be wrong', async () => {
  await interrupt()
  expect(copyOfFiles([''])).not.toEqual(soundBook(3))
  expect(copyOfFiles(['', '-journal'])).toEqual(soundBook(3))
})

it.each(programKinds)('L12: no program can heal the file under the lock; it can afterwards (%s)', async (kind) => {
  await interrupt()
  await using program = await startSqliteProgram(kind, file)
  const said: string[] = []
  const { copy } = await takePinned(fixture, file, {
    on: {
      proven: () => {
        // Once: SQLite as root gives the journal its owner anew before it fails, which shows in the second proof.
        if (said.length === 0) said.push(program.run('select distinct edition from page'))
      },
    },
  })
  expect(said).toEqual(['SQLITE_BUSY'])
  expect(copy).toEqual(soundBook(3))
  expect(program.run('select distinct edition from page')).toBe('[[1]]')
})

it('a journal that its writer has ended is not hot (persist and truncate)', async () => {
  for (const mode of ['persist', 'truncate']) {
    await using program = await startSqliteProgram('node', file)
    program.run(`pragma journal_mode=${mode}`)
    program.run("insert into book(title) values ('more')")
    expect(existsSync(`${file}-journal`)).toBe(true)
    const { pin, held } = await takePinned(fixture, file)
    expect(pin).toMatchObject({ journal: 'none' })
    expect(held.snapshot.files.map(({ part }) => part)).toEqual([''])
  }
  expect(readBook(file)).toEqual(soundBook(5))
})

it.each([
  ['is there', 1],
  ['is gone', 2],
] as const)('a super-journal that %s decides the transaction, and is left alone', async (_, edition) => {
  await interrupt()
  const superJournal = folder.file('book.db-mj12345678')
  if (edition === 1) writeFileSync(superJournal, `${file}-journal\0`)
  appendTrailer(`${file}-journal`, superJournal)
  const { pin, held } = await takePinned(fixture, file)
  expect(pin).toMatchObject({ journal: 'hot' })
  expect(existsSync(superJournal)).toBe(edition === 1)
  expect(held.snapshot.files.find(({ part }) => part === '-journal')?.bytes === 0).toBe(edition === 2)
})

it('a journal that is changed against the locks while it is copied is seen', async () => {
  await interrupt()
  let tries = 0
  const held = await fixture.holdBare(
    file,
    pinOptions({
      on: {
        proven: () => {
          tries++
          const journal = openSync(`${file}-journal`, 'r+')
          writeSync(journal, Buffer.from([1]), 0, 1, 100)
          closeSync(journal)
        },
      },
    }),
  )
  expect(held).toMatchObject({ kind: 'undecided', failure: { code: 'COPY_CHANGED' } })
  expect(tries).toBe(3)
})

it('a journal under a header that says WAL is hot too, as SQLite sees it', async () => {
  await interrupt()
  const main = openSync(file, 'r+')
  writeSync(main, Buffer.from([2, 2]), 0, 2, 18)
  closeSync(main)
  const { copy, pin } = await takePinned(fixture, file)
  expect(copy).toEqual(soundBook(3))
  expect(pin).toMatchObject({ branch: 'idle', journal: 'hot' })
})

it('a journal without bytes is none', async () => {
  await interrupt()
  truncateSync(`${file}-journal`, 0)
  expect((await takePinned(fixture, file)).pin).toMatchObject({ branch: 'rollback-journal', journal: 'none' })
})

it.each(programKinds)(
  'L16: beside a WAL that programs use it would undo their commits, so it is told (%s)',
  async (kind) => {
    await interrupt()
    const journal = readFileSync(`${file}-journal`)
    const program = await startSqliteProgram(kind, file)
    await using _program = program
    expect(program.run('pragma journal_mode=wal')).toContain('wal')
    expect(program.run('update page set edition=2')).toBe('done') // Now it uses the WAL.
    writeFileSync(`${file}-journal`, journal)
    expect(program.run('update page set edition=3')).toBe('done')

    const held = await fixture.holdBare(file, pinOptions({}))
    expect(held.kind === 'snapshot' ? null : held.failure).toMatchObject({
      code: 'COPY_CHANGED',
      message: expect.stringMatching(/although programs use its WAL.* rolls the journal back/) as string,
      hint: expect.stringContaining('move the -journal away') as string,
    })
    // What SQLite itself makes of it.
    const other = await startSqliteProgram(kind, file)
    await using _other = other
    expect(other.run('select distinct edition from page')).toBe('SQLITE_BUSY')
    expect(program.run('select distinct edition from page')).toBe('[[3]]')
    for (const part of ['', '-wal', '-journal']) copyFileSync(file + part, folder.file(`kept${part}`))
    program.close()
    other.close()
    expect(readBook(file).editions).not.toEqual([3])

    // As the hint says: the journal is moved away while the program runs, so nothing was lost.
    for (const part of ['', '-wal']) copyFileSync(folder.file(`kept${part}`), folder.file(`mended${part}`))
    expect(readBook(folder.file('mended')).editions).toEqual([3])
  },
)
