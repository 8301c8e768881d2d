/** The program of the child process that mends a copy. A hostile file can harm this process and this copy only. */
import {
  answerQuestions,
  confine,
  confineInPlace,
  limitFileSize,
  setIdlePriority,
} from '../../../host/process/child-side.ts'
import type { MenderAnswer, MenderQuestion } from '../protocol.ts'
import { CopyMender } from './copy-mender.ts'

const mender = new CopyMender({
  limitFileSize,
  enter: (folder, user) => (user === null ? confineInPlace() : confine({ folder, ...user })),
})
setIdlePriority()
answerQuestions<MenderQuestion, MenderAnswer>((question) => mender.answer(question))
