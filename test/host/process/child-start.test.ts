/** What an operator reads about a process that was killed. */
import { expect, test } from 'vitest'
import { failureOfEnd } from '../../../src/host/process/child-start.ts'

const killed = (stderr: string) =>
  failureOfEnd('chunk-child', { how: 'signal', code: null, signal: 'SIGKILL', stderr }, 0, null)

test('a process that the guardian has ended was not taken by the memory killer', () => {
  const { message, hint } = killed(
    '(node:7) Warning: something\nholdfast: the guardian has ended this run (SIGKILL). It did not go on.\n' +
      '  next: see whether somebody stopped the run.\n',
  )
  expect(message).toBe('the process chunk-child has ended: the guardian has ended this run (SIGKILL). It did not go on')
  expect(hint).toBe('see whether somebody stopped the run')
  for (const stderr of ['', '(node:7) Warning: something\n'])
    expect(killed(stderr)).toMatchObject({
      message: 'the process chunk-child was killed from outside (SIGKILL)',
      hint: expect.stringContaining('memory killer'),
    })
})
