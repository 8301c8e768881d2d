/** The program of the child process that salvages a damaged file. A hostile file can harm this process only. */
import {
  answerQuestions,
  confine,
  confineInPlace,
  limitFileSize,
  setIdlePriority,
} from '../../../host/process/child-side.ts'
import type { SalvageAnswer, SalvageQuestion } from '../protocol.ts'
import { SalvageSteps } from './salvage-steps.ts'

const steps = new SalvageSteps({
  limitFileSize,
  enter: (folder, user) => (user === null ? confineInPlace() : confine({ folder, ...user })),
})
setIdlePriority()
answerQuestions<SalvageQuestion, SalvageAnswer>((question) => steps.answer(question))
