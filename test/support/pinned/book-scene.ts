/** What most tests of pinned snapshots begin with: a hold fixture for all, and a folder with a book for each. */
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { openHoldFixture, type HoldFixture } from '../hold/hold-fixture.ts'
import { temporaryFolder } from '../host/other-process.ts'
import { createBook } from './pinned-files.ts'

export interface BookScene {
  readonly fixture: HoldFixture
  readonly folder: ReturnType<typeof temporaryFolder>
  /** Where the book is. */
  readonly file: string
}

/**
 * Hooks of the tests around the call.
 * @param mode its journal mode; null: the tests make the book
 * @param onScene called before each test
 */
export function beforeEachBook(mode: 'wal' | 'delete' | null, onScene: (scene: BookScene) => void): void {
  let fixture: HoldFixture
  beforeAll(async () => {
    fixture = await openHoldFixture()
  })
  afterAll(() => fixture[Symbol.asyncDispose]())
  beforeEach(() => {
    const folder = temporaryFolder()
    const file = folder.file('book.db')
    if (mode !== null) createBook(file, mode)
    onScene({ fixture, folder, file })
    return () => folder[Symbol.dispose]()
  })
}
