/**
 * Whatever a power cut leaves between two steps of a change, or within one that overwrites the file, SQLite finds the
 * old content or the new one, row by row. And each step can be taken back.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RehearsedCopy } from '../../../src/hold/change/change-types.ts'
import { newChangeId } from '../../../src/hold/change/estimate.ts'
import { findDifferences } from '../../../src/hold/change/record/page-samples.ts'
import { LiveFolder, nameBeside } from '../../../src/hold/change/steps/live-folder.ts'
import {
  backwardSteps,
  forwardSteps,
  type Content,
  type Replacement,
} from '../../../src/hold/change/steps/plan-steps.ts'
import { StagedFile } from '../../../src/hold/change/steps/staged-file.ts'
import { takeSteps, type Step } from '../../../src/hold/change/steps/step.ts'
import { Disposables } from '../../../src/host/disposal.ts'
import { openDescriptor } from '../../../src/host/files/descriptor.ts'
import type { LiveSetPart } from '../../../src/model/result/evidence.ts'
import {
  bytesInState,
  contentOf,
  readSet,
  rehearse,
  inMemory,
  setStates,
  writeSet,
  type SetBytes,
} from '../../support/hold/changes.ts'

const forever = new AbortController().signal

describe('the steps of a change', () => {
  let home = ''
  let nth = 0
  beforeAll(() => {
    home = mkdtempSync(join(inMemory, 'holdfast-steps-'))
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  interface Scene extends Disposable {
    readonly file: string
    readonly folder: string
    readonly steps: readonly Step[]
    /** Not before the live file is read by name: a lease of ours would keep this process waiting for itself. */
    seal(): void
  }

  /** @param pieces how many pieces may be written before the process dies */
  async function scene(
    bytes: SetBytes,
    rehearsed: RehearsedCopy,
    method: 'swap' | 'in-place',
    way: 'forward' | 'backward',
    pieces: number,
  ): Promise<Scene> {
    const opened = new Disposables()
    const besides: StagedFile[] = []
    const seal = (): void => {
      for (const one of besides) one.seal()
    }
    const folder = join(home, `scene-${nth++}`)
    mkdirSync(folder)
    const file = join(folder, 'app.db')
    if (way === 'forward') writeSet(file, bytes)
    else copyFileSync(rehearsed.mended, file)
    const place = { folder: opened.add(LiveFolder.open(file)), change: newChangeId(), nth: 1 }
    const live = opened.add(openDescriptor(file, 'read-write'))
    const kept = join(home, `kept-${nth}`)
    writeSet(kept, bytes)
    const pages = await differing(rehearsed)
    let left = pieces
    const requireSeal = (): void => {
      if (left-- <= 0) throw new Error('died')
    }
    const replacing: Replacement =
      method === 'swap'
        ? { method }
        : {
            method,
            overwriting: { folder: place.folder, main: live.number, pageSize: 1024, requireSeal, pages, over: forever },
          }
    const beside = async (what: string, from: string): Promise<StagedFile> => {
      const made = await StagedFile.make(place.folder, nameBeside(place.change, 1, what), from, live.number, forever)
      besides.push(made)
      return opened.add(made)
    }
    const content = async (what: string, from: string): Promise<Content> => ({
      descriptor: opened.add(openDescriptor(from, 'read-only')).number,
      beside: method === 'swap' ? await beside(what, from) : null,
    })
    const [settled, mended] = [await content('settled', rehearsed.settled), await content('mended', rehearsed.mended)]
    const present = (Object.keys(bytes) as LiveSetPart[]).filter((part) => part !== '')
    const covers = present.some((part) => (bytes[part]?.length ?? 0) > 0)
    if (way === 'forward') {
      const before = { descriptor: opened.add(openDescriptor(kept, 'read-only')).number, beside: null }
      const steps = forwardSteps(place, replacing, { present, covers }, { before, settled, mended })
      return { file, folder, steps, seal, [Symbol.dispose]: () => opened[Symbol.dispose]() }
    }
    const companions = new Map<'-wal' | '-journal', StagedFile>()
    for (const part of ['-wal', '-journal'] as const)
      if (bytes[part] !== undefined) companions.set(part, await beside(`kept${part.slice(1)}`, kept + part))
    const original = await content('original', kept)
    const steps = backwardSteps(place, replacing, [], companions, { mended, settled, original })
    return { file, folder, steps, seal, [Symbol.dispose]: () => opened[Symbol.dispose]() }
  }

  /** Known before, or null to have all pages compared. */
  async function differing({ settled, mended }: RehearsedCopy): Promise<readonly number[] | null> {
    if (nth % 2 === 0) return null
    using old = openDescriptor(settled, 'read-only')
    using fresh = openDescriptor(mended, 'read-only')
    return (await findDifferences(old.number, fresh.number, 1024)).pages
  }

  function rehearsedOf(bytes: SetBytes): RehearsedCopy {
    const folder = join(home, `rehearsed-${nth++}`)
    mkdirSync(folder)
    writeSet(join(folder, 'snapshot.db'), bytes)
    return rehearse(join(folder, 'snapshot.db'))
  }

  describe.each(['swap', 'in-place'] as const)('by %s', (method) => {
    describe.each(['forward', 'backward'] as const)('%s', (way) => {
      it.each(setStates)('leave a live set in state %s whole', async (state) => {
        const bytes = bytesInState(state, 150)
        const rehearsed = rehearsedOf(bytes)
        const [old, fresh] = [contentOf(rehearsed.settled), contentOf(rehearsed.mended)]
        const [first, last] = way === 'forward' ? [old, fresh] : [fresh, old]
        let count = 1
        for (let taken = 0; taken <= count; taken++) {
          using at = await scene(bytes, rehearsed, method, way, Infinity)
          count = at.steps.length
          const start = readSet(at.file)
          for (const step of at.steps.slice(0, taken)) await step.run()
          const found = contentOf(at.file)
          expect([old, fresh], `after ${taken} of ${count} steps`).toContain(found)
          if (taken === 0) expect(found).toBe(first)
          if (taken === count) expect(found).toBe(last)
          if (taken === count && way === 'backward') expect(readSet(at.file)).toEqual(bytes)
          at.seal()
          for (const step of at.steps.slice(0, taken).toReversed()) await step.takeBack()
          // An empty journal, as journal_mode=TRUNCATE leaves it, says nothing and need not come back.
          expect(withoutEmpty(readSet(at.file)), `after ${taken} steps were taken back`).toEqual(withoutEmpty(start))
        }
      })

      it.skipIf(method === 'swap').each(setStates)(
        'leave a live set in state %s whole after any write',
        async (state) => {
          const bytes = bytesInState(state, 60)
          const rehearsed = rehearsedOf(bytes)
          const both = [contentOf(rehearsed.settled), contentOf(rehearsed.mended)]
          for (let pieces = 0; ; pieces += pieces < 12 ? 1 : 5) {
            using at = await scene(bytes, rehearsed, method, way, pieces)
            const died = await (async () => {
              for (const step of at.steps) await step.run()
            })().then(
              () => false,
              () => true,
            )
            expect(both, `after ${pieces} pieces`).toContain(contentOf(at.file))
            if (!died) break
          }
        },
      )
    })
  })

  it('are taken back if another program asks for the file', async () => {
    const bytes = bytesInState('wal', 60)
    const rehearsed = rehearsedOf(bytes)
    for (let failing = 1; ; failing++) {
      using at = await scene(bytes, rehearsed, 'swap', 'forward', Infinity)
      at.seal()
      let checks = 0
      const outcome = await takeSteps(at.steps, () => {
        if (++checks === failing) throw new Error('asked for')
      }).catch((error: unknown) => error)
      if (checks < failing) break
      expect(outcome).toMatchObject({ message: 'asked for' })
      expect(readSet(at.file), `after ${failing} steps`).toEqual(bytes)
      expect(readdirSync(at.folder).filter((name) => name.includes('aside'))).toEqual([])
    }
  })
})

const withoutEmpty = (bytes: SetBytes): SetBytes =>
  Object.fromEntries(
    Object.entries(bytes).filter(([, content]) => (content as Buffer).length > 0),
  ) as unknown as SetBytes
