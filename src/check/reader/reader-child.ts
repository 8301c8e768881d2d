/**
 * The program of the child process that reads snapshots. A hostile file can harm this process only (hold/README.md, F10
 * and Security).
 */
import {
  answerQuestions,
  confine,
  confineInPlace,
  limitFileSize,
  setIdlePriority,
} from '../../host/process/child-side.ts'
import type { ReaderAnswer, ReaderQuestion } from '../protocol.ts'
import { SnapshotReader } from './snapshot-reader.ts'

const reader = new SnapshotReader({
  limitFileSize,
  enter: (folder, user) => (user === null ? confineInPlace() : confine({ folder, ...user })),
})
setIdlePriority()
answerQuestions<ReaderQuestion, ReaderAnswer>((question) => reader.answer(question))
