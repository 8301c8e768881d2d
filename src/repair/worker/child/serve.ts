/**
 * Child side: the program of a child process that works on copies. A hostile file can harm this process and the copies
 * in its sandbox only.
 */
import { confineChild } from '../../../check/reader/confine-child.ts'
import {
  answerQuestions,
  confine,
  confineInPlace,
  limitFileSize,
  setIdlePriority,
} from '../../../host/process/child-side.ts'
import { invariant } from '../../../model/bug.ts'
import type { Answer, FirstSteps, Question, StepAnswer, StepQuestion, StepsOf } from '../steps.ts'
import { notDone } from './not-done.ts'

/** Answers the questions behind the first steps. It may throw what SQLite throws, and `RefusalError`. */
interface Work<All extends StepsOf<All>> {
  answer(question: Exclude<Question<All>, Question<FirstSteps>>): Answer<All>
}

/** @param load loads what the sandbox does not have. What it returns opens the work in the folder of the sandbox. */
export function serve<All extends StepsOf<All>>(load: () => (folder: string) => Work<All>): void {
  let work: Work<All> | null = null
  const enter = ({ folder, user }: StepQuestion<FirstSteps, 'confine'>): StepAnswer<FirstSteps, 'confine'> => {
    invariant(work === null, 'a child is confined once in its life')
    const open = load()
    const confined = confineChild(
      { limitFileSize, enter: (into, as) => (as === null ? confineInPlace() : confine({ folder: into, ...as })) },
      folder,
      user,
    )
    work = open(user === null ? folder : '/')
    return { step: 'confine', ...confined }
  }
  setIdlePriority()
  answerQuestions<Question<All>, Answer<All> | Answer<FirstSteps>>((question) => {
    const first = question as Question<FirstSteps>
    if (first.step === 'confine') return enter(first)
    try {
      if (first.step === 'limitFileSize') {
        limitFileSize(first.fileBytesMax)
        return { step: 'limitFileSize' }
      }
      invariant(work !== null, 'a child was asked before it was confined')
      return work.answer(question as Exclude<Question<All>, Question<FirstSteps>>)
    } catch (error) {
      return { step: 'not-done', ...notDone(error) }
    }
  })
}
