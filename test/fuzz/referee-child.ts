/** The referee in its own process, because a database of the corpus may crash it. */
import { answerQuestions } from '../../src/host/process/child-side.ts'
import { askInProcess } from '../support/differential/referee.ts'
import type { SqliteMessages } from '../support/differential/referee.ts'

answerQuestions<string, SqliteMessages>((path) => askInProcess(path))
