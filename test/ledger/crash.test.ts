import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { openLedger, readLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import { advance } from '../../src/model/event.ts'
import type { Event, OpenHold } from '../../src/model/event.ts'
import {
  holdAsked,
  checked,
  holdEnded,
  ledgerProcessesOf,
  holdQuiesced,
  scratch,
} from '../support/ledger/sample-events.ts'

/** Waits for a condition, not for luck. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('after kill -9 of a run every acknowledged line is there, and no process of the ledger is left', async () => {
  using folder = scratch()
  for (const round of Array.from({ length: 3 }, (_, index) => index)) {
    const writer = spawn(
      process.execPath,
      [join(import.meta.dirname, '../support/programs/line-writer.ts'), folder.path, `r${round}`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let said = ''
    writer.stdout.on('data', (bytes: Uint8Array) => {
      said += Buffer.from(bytes).toString('utf8')
    })
    const ended = once(writer, 'close')
    const enough = 2 + Math.floor(Math.random() * 150)
    await until(() => said.split('\n').length > enough)
    const children = ledgerProcessesOf(writer.pid ?? 0)
    writer.kill('SIGKILL')
    await ended
    await until(() => children.every((pid) => !isThere(pid)))
    const acknowledged = said.split('\n').slice(1, -1)
    expect(children).toHaveLength(1)
    expect(acknowledged.length).toBeGreaterThan(0)

    await using reading = await readLedger(folder.path)
    const lines = (await reading.history(null, 10_000)).toReversed()
    const written = lines
      .map(
        ({ event }) =>
          `${event.kind} ` +
          (event.kind === 'checked' ? event.tenant.replace('tenant of ', '') : 'holder' in event ? event.holder : ''),
      )
      .filter((line) => line.includes(` r${round}-`))
    expect(acknowledged.filter((line) => !written.includes(line))).toEqual([])
    expect(new Set(written).size).toBe(written.length)
    expect(await reading.openHolds()).toEqual(foldOf(lines))
    expect(reading.notice).toBeNull()
  }
})

test('the process of the ledger may be killed at any moment: no line is lost and none is written twice', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, newRunId())
  const holders = Array.from({ length: 150 }, (_, index) => `h${index}`)
  let kills = 0
  for (const [index, holder] of holders.entries()) {
    const appended = Promise.all([holdAsked(holder), holdQuiesced(holder)].map((event) => ledger.append(event)))
    if (index % 30 === 15) {
      for (const pid of ledgerProcessesOf(process.pid)) {
        process.kill(pid, 'SIGKILL')
        kills += 1
      }
    }
    await appended
  }
  expect(kills).toBe(5)
  const lines = await ledger.history(null, 10_000)
  expect(lines.map(({ event }) => event).toReversed()).toEqual(
    holders.flatMap((holder) => [holdAsked(holder), holdQuiesced(holder)]),
  )
  expect(await ledger.openHolds()).toHaveLength(holders.length)
})

test('a process that can never be started again is a failure, not an endless attempt', async () => {
  using folder = scratch()
  const ledger = await openLedger(folder.path, newRunId())
  const killing = setInterval(() => ledgerProcessesOf(process.pid).forEach((pid) => process.kill(pid, 'SIGKILL')), 20)
  try {
    await expect(
      (async () => {
        for (;;) await ledger.append(holdAsked('one'))
      })(),
    ).rejects.toMatchObject({
      code: 'LEDGER_UNUSABLE',
      message: expect.stringContaining('died 3 times in a row') as string,
    })
  } finally {
    clearInterval(killing)
    await ledger[Symbol.asyncDispose]()
  }
})

test('whatever is written in whatever order, the open holds are those of the fold over all events', async () => {
  const holder = fc.constantFrom('a', 'b', 'c', 'd')
  const event: fc.Arbitrary<Event> = fc.oneof(
    holder.map((name) => holdAsked(name)),
    holder.map((name) => holdQuiesced(name)),
    holder.map((name) => holdEnded(name)),
    holder.map((name) => checked(name)),
    holder.map((name): Event => ({
      kind: 'resume-failed',
      tenant: tenantId(name),
      holder: name,
      code: 'RESUME_FAILED',
    })),
    fc.constant<Event>({ kind: 'run-started', mode: 'check', version: '1', argv: [] }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(event, { maxLength: 16 }), { minLength: 1, maxLength: 2 }), async (runs) => {
      using folder = scratch()
      for (const events of runs) {
        await using ledger = await openLedger(folder.path, newRunId())
        await Promise.all(events.map((each) => ledger.append(each)))
      }
      await using reading = await readLedger(folder.path)
      const lines = (await reading.history(null, 1000)).toReversed()
      expect(lines.map((line) => line.event.kind)).toEqual(runs.flat().map((each) => each.kind))
      expect(await reading.openHolds()).toEqual(foldOf(lines))
    }),
    { numRuns: 5 },
  )
})

function foldOf(
  lines: readonly { readonly event: Event; readonly at: number; readonly run: string }[],
): readonly OpenHold[] {
  let open: ReadonlyMap<string, OpenHold> = new Map()
  for (const { event, at, run } of lines) open = advance(open, event, at, run)
  return [...open.values()]
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
