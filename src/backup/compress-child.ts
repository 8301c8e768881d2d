/** The process that compresses a large database and reads it back, at the priority of the checks. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { onDisk } from '../host/files/file-name.ts'
import { answerQuestions, setIdlePriority } from '../host/process/child-side.ts'
import type { CompressQuestion } from './compress.ts'
import { compressAndReadBack, type ReadBackResult } from './compression.ts'

const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK

setIdlePriority()
answerQuestions<CompressQuestion, ReadBackResult>(async ({ from, to }) => {
  await using source = await open(onDisk(from), constants.O_RDONLY | careful)
  await using target = await open(onDisk(to), constants.O_RDWR | careful)
  return await compressAndReadBack(source, target, new AbortController().signal)
})
