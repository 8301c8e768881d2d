/** The program of the child process that merges two files. A hostile file can harm this process and its copies only. */
import {
  answerQuestions,
  confine,
  confineInPlace,
  limitFileSize,
  setIdlePriority,
} from '../../../host/process/child-side.ts'
import type { MergeAnswer, MergeQuestion } from '../protocol.ts'
import { MergeSession } from './merge-session.ts'

const session = new MergeSession({
  limitFileSize,
  enter: (folder, user) => (user === null ? confineInPlace() : confine({ folder, ...user })),
})
setIdlePriority()
answerQuestions<MergeQuestion, MergeAnswer>((question) => session.answer(question))
