import { expect, test } from 'vitest'
import { BrokenFrame, frameOf, Frames } from '../../../src/host/process/frames.ts'

const messages = [
  { kind: 'ask', question: 'ö€ and plain' },
  null,
  [1n, new Map([['a', new Float64Array([1, 2])]])],
  'x'.repeat(700),
  { end: undefined },
]
const stream = Buffer.concat(messages.map((message) => frameOf(message)))

test.each([1, 2, 3, 5, 64, 701, stream.length])(
  'messages come out as they went in, however the pipe cuts them: pieces of %i bytes',
  (length) => {
    const frames = new Frames()
    const heard: unknown[] = []
    for (let at = 0; at < stream.length; at += length) heard.push(...frames.take(stream.subarray(at, at + length)))
    expect(heard).toEqual(messages)
  },
)

test('of a message that has not ended nothing is said', () => {
  const frames = new Frames()
  expect(frames.take(stream.subarray(0, frameOf(messages[0]).length - 1))).toEqual([])
})

test('what cannot be cloned, and what is no message, is refused', () => {
  expect(() => frameOf({ say: () => 1 })).toThrow(/could not be cloned/)
  expect(() => new Frames().take(Buffer.from('nonsense'))).toThrow(BrokenFrame)
  const broken = Buffer.from([4, 0, 0, 0, 1, 2, 3, 4])
  for (const how of [/deserialize/, BrokenFrame]) expect(() => new Frames().take(broken)).toThrow(how)
})
