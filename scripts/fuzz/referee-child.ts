/** The referee, in a process of its own: a database of the corpus may crash it. */
import { answerQuestions } from '../../src/host/child-side.ts'
import { askInProcess } from '../../test/support/fuzz.ts'
import type { SaidBySqlite } from '../../test/support/fuzz.ts'

answerQuestions<string, SaidBySqlite>((path) => askInProcess(path))
