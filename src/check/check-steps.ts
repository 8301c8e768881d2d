/**
 * The order of the steps of a check. It is written here and nowhere else, and two drivers run it:
 *
 * - `read-snapshot.ts`: the parent asks child processes, one question for each step.
 * - `reader/answer-all-steps.ts`: the child of a snapshot of at most 8 MB is asked once for all steps. It stops at the
 *   first answer that reports something. The parent then runs the steps again: it takes the answers that are there, and
 *   asks for the others.
 *
 * A full check with the census:
 *
 *   1. inspect           the files as they are, before SQLite may change them
 *      checksums         the page checksums of cksumvfs, if the header has room for them
 *   2. recover           SQLite rolls back the journal, or writes the WAL into the file
 *   3. account           whose page is each page?
 *   4. schema            SQLite opens the file; the census gets its plan
 *   5. plan, scan        the rows and the index entries on all pages are counted
 *      tally             what a reader has counted, where several readers count
 *      compare           the sums of rows against those of index entries
 *   6. integrity         SQLite's quick check
 *      compareBySqlite   SQLite's full check of virtual tables
 *      foreignKeys       rows without a parent
 *   7. compareBySqlite   SQLite's full check of the tables that the census could not decide on
 *      integrity         SQLite's full check of the file, if its pointer map is wrong.
 *                        If the census could not be made, 7 is: integrity as a full check, then countRows
 *   8. finish            owners of the pages that facts name, digests. Its reader closes the snapshot.
 *                        Not run if the steps ended early, or if a step had no answer
 *
 * One reader runs them in this order. For a full census of a large snapshot there are several. After 1 and 2, step 4
 * comes first. Then three things run in parallel: `pages` runs 3 and then 5; the helpers run 5; `sqlite` runs 6.
 * `compare` waits for all of them.
 *
 * Without the census, 5 to 7 are only `integrity`: quick_check, or for a full check integrity_check. A full check then
 * runs plan, scan and compare if SQLite has messages about index entries, to name their rows; then foreignKeys and
 * countRows.
 *
 * A sample: inspect, recover, schema, plan, scan of a range, judgeSample, finish. Page checksums are not verified.
 *
 * A file that SQLite must not open ends the steps after 1. A file of an unknown format ends them after 2. If a step has
 * no answer, the steps that depend on it are not run. The others are run. If step 2 has no answer, only 3 follows;
 * nothing follows if a journal or a WAL was to be written back. If step 2 answers that it could not write them back,
 * step 3 and the census are left out: 4 follows, then 5 to 7 as without the census. If SQLite cannot read the schema,
 * `objects` replaces 5 to 7, if the pages can be read.
 */
import type { CensusPlan } from '../census/plan.ts'
import type { Reader } from './protocol.ts'
import type { ReadingBuilder } from './reading-builder.ts'
import { beginCounting, runPlanAndScan, runPlanScanAndTally, whyLessWasChecked } from './steps/census-steps.ts'
import type { CountTask } from './steps/census-steps.ts'
import { refuseToOpen, runChecksums, runInspect, runRecover } from './steps/file-steps.ts'
import type { AfterRecovery } from './steps/file-steps.ts'
import { runAccount, runFinish, runObjects } from './steps/page-steps.ts'
import { runSample } from './steps/sample-steps.ts'
import { SqliteSteps } from './steps/sqlite-steps.ts'

/** The readers of one snapshot. A full census of a large one has several; else one is both `pages` and `sqlite`. */
export interface StepReaders {
  /** Reads pages: accounts for them and counts them. */
  readonly pages: Reader
  /** Asks SQLite. */
  readonly sqlite: Reader
  /** Count pages beside `pages`. */
  readonly helpers: readonly Reader[]
}

/** Runs all steps. Every answer goes into `reading`. */
export async function runCheckSteps(reading: ReadingBuilder, readers: StepReaders): Promise<void> {
  const files = await runInspect(reading, readers.sqlite)
  if (files === null || refuseToOpen(reading, files)) return
  if (reading.limits.depth !== 'sample') await runChecksums(reading, readers.sqlite, files)
  const { opened, readable } = await runRecover(reading, readers.sqlite, files)
  if (readable === 'nothing') return
  const { depth, engine } = reading.limits
  if (depth === 'sample') return sampleOnly(reading, readers, { opened, readable })
  if (!opened) await accountOnly(reading, readers, readable)
  else if (depth === 'full' && engine === 'census' && readable === 'pages') await checkWithCensus(reading, readers)
  else await checkWithSqlite(reading, readers, readable)
  await runFinish(reading, readers.pages)
}

/** A part of the pages. Nothing is said about the others. */
async function sampleOnly(
  reading: ReadingBuilder,
  { pages }: StepReaders,
  { opened, readable }: AfterRecovery,
): Promise<void> {
  if (opened && readable === 'pages') await runSample(reading, pages)
  else reading.skip('pages', 'the file could not be opened as one plain file')
  await runFinish(reading, pages)
}

/** The reader died when SQLite opened the file, and would die again: SQLite is asked nothing more. */
async function accountOnly(
  reading: ReadingBuilder,
  { pages }: StepReaders,
  readable: 'pages' | 'sqlite-only',
): Promise<void> {
  if (readable === 'pages') await runAccount(reading, pages)
}

/** Without the census: SQLite alone compares rows with index entries, or nothing does (`quick`). */
async function checkWithSqlite(
  reading: ReadingBuilder,
  { pages, sqlite }: StepReaders,
  readable: 'pages' | 'sqlite-only',
): Promise<void> {
  if (readable === 'pages') await runAccount(reading, pages)
  const steps = await SqliteSteps.runSchema(reading, sqlite)
  if (steps === null) return readable === 'pages' ? runObjects(reading, pages) : undefined
  if (reading.limits.depth === 'quick') return void (await steps.runIntegrity('quick'))
  await steps.runFullIntegrity()
  await steps.nameRowsByCensus()
  await steps.runForeignKeys()
  await steps.runCountRows()
}

/** With the census. SQLite's full check decides what the census cannot: nothing is sound that was not compared. */
async function checkWithCensus(reading: ReadingBuilder, readers: StepReaders): Promise<void> {
  const { pages, sqlite } = readers
  const alone = pages === sqlite
  if (alone) await runAccount(reading, pages)
  const steps = await SqliteSteps.runSchema(reading, sqlite)
  if (steps === null) {
    if (!alone) await runAccount(reading, pages)
    return runObjects(reading, pages)
  }
  const compared = await (alone
    ? countWithOneReader(reading, pages, steps)
    : countWithSeveralReaders(reading, readers, steps))
  if (!compared) {
    await steps.runFullIntegrity()
    return steps.runCountRows()
  }
  await steps.decideUncounted()
  // SQLite finds overflow pages by the pointer map. If the map is wrong, SQLite reads other bytes than the census does.
  if (reading.hasFound('pointer-map-wrong')) await steps.runIntegrity('full')
}

/** @returns true if the census was made and its sums were compared */
async function countWithOneReader(reading: ReadingBuilder, reader: Reader, steps: SqliteSteps): Promise<boolean> {
  const counting = beginCensus(reading, steps)
  if (counting === null) {
    await runSqliteSide(steps)
    return false
  }
  // The census comes first: its counts are lost with the process, while SQLite can be asked in a fresh one.
  const scanned = await runPlanAndScan(reading, reader, counting)
  if (!scanned) steps.reopenLater()
  const compared = scanned && (await steps.runCompare(counting, []))
  await runSqliteSide(steps)
  return compared
}

/** @returns true if the census was made and its sums were compared */
async function countWithSeveralReaders(
  reading: ReadingBuilder,
  { pages, helpers }: StepReaders,
  steps: SqliteSteps,
): Promise<boolean> {
  const counting = beginCensus(reading, steps)
  if (counting === null) {
    await Promise.all([runAccount(reading, pages), runSqliteSide(steps)])
    return false
  }
  const [, ...tallies] = await Promise.all([
    runSqliteSide(steps),
    runAccount(reading, pages).then(() => runPlanScanAndTally(reading, pages, counting)),
    ...helpers.map((helper) => runPlanScanAndTally(reading, helper, counting)),
  ])
  const answered = tallies.filter((tally) => tally !== null)
  // The pages of a reader that did not answer were counted by no other reader.
  return answered.length === tallies.length && steps.runCompare(counting, answered)
}

/** What the census leaves to SQLite: structure, types, constraints, virtual tables, foreign keys. */
async function runSqliteSide(steps: SqliteSteps): Promise<void> {
  await steps.runIntegrity('quick')
  await steps.compareVirtualTables()
  await steps.runForeignKeys()
}

/** null if there is no plan; the reading then says why. */
function beginCensus(
  reading: ReadingBuilder,
  { plan, noPlanWhy }: { readonly plan: CensusPlan | null; readonly noPlanWhy: string | null },
): CountTask | null {
  if (plan === null) reading.skip('census', whyLessWasChecked(noPlanWhy ?? 'there is no plan for it'))
  return plan === null ? null : beginCounting(plan)
}
