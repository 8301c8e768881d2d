/** The error that ends a command, on stderr and in the report, if cleaning up fails as well. */
import { expect, test } from 'vitest'
import { describeError, exitCodeOfError, reportError } from '../../../src/cli/terminal/errors.ts'
import { Failure } from '../../../src/model/failure.ts'

/** The error of work that throws `first`, after which cleaning up throws `then`. */
function suppressedError(first: Error, then: Error): unknown {
  try {
    using _cleanup = {
      [Symbol.dispose]: () => {
        throw then
      },
    }
    throw first
  } catch (error) {
    return error
  }
}

function printed(error: unknown): readonly string[] {
  const lines: string[] = []
  reportError(
    { version: '1.2.3', commandLine: { words: [], config: null }, say: (line) => void lines.push(line) },
    error,
  )
  return lines
}

const busy = new Failure('LOCK_BUSY', 'somebody has it')
const paused = new Failure('RESUME_FAILED', 'acme does not serve', { tenant: 'maybe-paused' })
const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
  code: 'ENOSPC',
  errno: -28,
  syscall: 'write',
})
const defect = new TypeError('x is not a function')

test.each([
  [
    'a failure, then a defect',
    suppressedError(busy, defect),
    ['LOCK_BUSY', 'defect in holdfast 1.2.3', 'x is not a function'],
    'BUG',
    70,
  ],
  ['a defect, then a failure', suppressedError(defect, busy), ['x is not a function', 'LOCK_BUSY'], 'BUG', 70],
  [
    'a defect, then a tenant that may be paused',
    suppressedError(defect, paused),
    ['x is not a function', 'PAUSED', 'acme does not serve'],
    'RESUME_FAILED',
    4,
  ],
  [
    'a failure, then another',
    suppressedError(busy, new Failure('NO_SPACE', 'full')),
    ['LOCK_BUSY', 'NO_SPACE'],
    'LOCK_BUSY',
    75,
  ],
  [
    'an interruption, then a defect',
    suppressedError(new Failure('INTERRUPTED', 'by SIGINT'), defect),
    ['defect in holdfast', 'x is not a function'],
    'BUG',
    70,
  ],
  [
    'an error of the system',
    full,
    ['NO_SPACE: cannot go on: the system refused write: no space left on device (ENOSPC)', 'next: free space'],
    'NO_SPACE',
    1,
  ],
  [
    'an error of the system, then a defect',
    suppressedError(full, defect),
    ['NO_SPACE', 'x is not a function'],
    'BUG',
    70,
  ],
  [
    'one after two',
    suppressedError(busy, suppressedError(defect, paused) as Error),
    ['LOCK_BUSY', 'x is not a function', 'PAUSED'],
    'RESUME_FAILED',
    4,
  ],
])('%s: all are reported, and the gravest counts', (_, error, said, code, exitCode) => {
  const text = printed(error).join('\n')
  expect(said.map((words) => text.indexOf(words))).toEqual(
    said.map((words) => text.indexOf(words)).toSorted((a, b) => a - b),
  )
  for (const words of said) expect(text).toContain(words)
  expect(text).not.toContain('SIGINT')
  expect([describeError(error, { words: [], config: null }).code, exitCodeOfError(error, null)]).toEqual([
    code,
    exitCode,
  ])
})
