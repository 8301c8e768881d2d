/** Examines the tenants of a chunk as `check --tenant` does, and sends each result to the agent. */

import type { TenantId } from '../../model/brand.ts'
import type { Event } from '../../model/event.ts'
import { exitCodes } from '../../model/exit-code.ts'
import { signsOfHarm, type Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import type { Result } from '../../model/result/report.ts'
import { withServiceRun, type RunOptions, type ServiceRun } from '../../runs/begin/service-run.ts'
import { sweep, type SweepObserver, type SweepTotals } from '../../runs/sweep.ts'
import type { AgentQuestions } from '../compare/rows/agent-questions.ts'
import { serveRows } from '../compare/rows/serve-rows.ts'
import { SlotPermit, type SlotSource } from '../pause/slot-permit.ts'
import { doneKey } from '../results/done-key.ts'
import { storedPath } from '../results/stored-path.ts'
import { chunkFailureOf, type ChunkOrder, type FromChunk } from './chunk-messages.ts'
import type { ChunkStop } from './chunk-stop.ts'

export interface ChunkTerms {
  readonly slots: SlotSource
  readonly questions: AgentQuestions
  readonly stop: ChunkStop
  /** Files of the run that have a result. To be asked with the run lock. */
  readonly doneFiles: () => Promise<ReadonlySet<string>>
  readonly send: (message: FromChunk) => void
}

type EndMessage = Extract<FromChunk, { kind: 'ended' }>

/** Another run of this machine may work on the service for so long, in ms: it is no failure of the chunk. */
const waitMsMax = 24 * 60 * 60 * 1000

/** Does not throw: what went wrong is in the message that it returns. */
export async function examineChunk(order: ChunkOrder, terms: ChunkTerms): Promise<EndMessage> {
  const { stop } = terms
  using permit = new SlotPermit(stop.watchSlots(terms.slots), order.windowMs)
  try {
    const options = { ...runOptions(order, terms), permit: stop.limitPermit(permit) }
    const { notCovered, stopped } = await withServiceRun(order.settings, options, (run) => examine(run, order, terms))
    return { kind: 'ended', notCovered, stopped: stop.hasBegun, failure: chunkFailureOf(stopped, stop) }
  } catch (error) {
    const { hasBegun } = stop
    return { kind: 'ended', notCovered: order.tenants.length, stopped: hasBegun, failure: chunkFailureOf(error, stop) }
  }
}

async function examine(
  run: ServiceRun,
  order: ChunkOrder,
  terms: ChunkTerms,
): Promise<Pick<SweepTotals, 'notCovered' | 'stopped'>> {
  const done = await terms.doneFiles()
  const plan = {
    ids: order.tenants,
    isDone: (tenant: TenantId, path: string) => done.has(doneKey(tenant, storedPath(path))),
    mayBegin: () => !terms.stop.hasBegun,
  }
  let covered = 0
  const observer = observerOf(terms, () => covered++)
  const recordEnd = async (exitCode: number, selected: number, stopped: Failure | null = null): Promise<void> => {
    const harm = stopped !== null && signsOfHarm.has(stopped.code) ? { harm: stopped.code } : {}
    const event = { kind: 'run-finished', exitCode, selected, covered, whole: false, ...harm } satisfies Event
    await orFailure(run.ledger.append(event))
  }
  try {
    if (order.rows) {
      await answerAboutRows(run, order, terms, () => covered++)
      await recordEnd(exitCodes.sound, covered)
      return { notCovered: 0, stopped: null }
    }
    const totals = await sweep(run, { selection: { kind: 'chunk', plan }, depth: order.depth }, observer)
    await recordEnd(totals.notCovered === 0 ? exitCodes.sound : exitCodes.inconclusive, totals.selected, totals.stopped)
    return totals
  } catch (error) {
    await recordEnd(exitCodes.failed, covered)
    throw error
  }
}

/** For a comparison by key. It has one tenant. */
async function answerAboutRows(
  run: ServiceRun,
  { tenants: [tenant] }: ChunkOrder,
  { questions, send }: ChunkTerms,
  onCovered: () => void,
): Promise<void> {
  if (tenant === undefined) return
  await serveRows(run, {
    tenant,
    onResult: (result) => {
      onCovered()
      send({ kind: 'result', tenant, result, at: Date.now(), revised: false })
    },
    nextQuestion: () => questions.next(),
    answer: (answer) => send({ kind: 'answer', answer }),
  })
}

function observerOf({ stop, send }: ChunkTerms, onCovered: () => void): SweepObserver {
  const sendResult = (result: Result, revised: boolean): void => {
    if (result.tenant === null) return
    send({ kind: 'result', tenant: result.tenant, result, at: Date.now(), revised })
  }
  return {
    onSelected: () => undefined,
    onProgress: (progress) => stop.considerProgress(progress),
    onResult: (result) => {
      onCovered()
      sendResult(result, false)
    },
    onRevised: (result) => sendResult(result, true),
  }
}

function runOptions({ local, part, version }: ChunkOrder, { stop, send }: ChunkTerms): RunOptions {
  const notice = (text: string): void => send({ kind: 'notice', text })
  return {
    run: local,
    mode: 'check',
    version,
    argv: ['agent'],
    incident: null,
    request: null,
    fleet: part,
    interrupt: stop.interruptSignal,
    waiting: { ms: waitMsMax, signal: stop.waitSignal, onWait: () => Promise.resolve(), onEnd: () => undefined },
    keepSnapshot: null,
    backups: { keep: true, onKept: () => undefined, onNotice: notice },
    engine: 'census',
    map: false,
    sampleShare: null,
    showValues: false,
    onIncident: () => undefined,
    onRegistry: (_, notices) => notices.forEach(notice),
    onStep: (target, step) => stop.considerStep(target, step),
    onNotice: notice,
    onReportNotice: notice,
    onEndings: (outcomes) => {
      for (const { hold, how } of outcomes)
        notice(`a hold that an earlier run left open has ended: ${hold.tenant}, ${how}`)
    },
    onOthers: (others) => {
      if (others.length > 0) notice(`${others.length} open holds of another service or way are in the ledger`)
    },
    onRecovered: (recovered) => {
      if (recovered.length > 0) notice(`${recovered.length} changes that an earlier run left half done were ended`)
    },
    onResumeRetry: (tenant, why) => notice(`the resume of ${tenant} has failed and is tried again: ${why.message}`),
  }
}
