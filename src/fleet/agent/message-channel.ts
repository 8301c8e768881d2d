/** A channel of messages over two pipes. Neither end waits for the other. */

import type { Readable, Writable } from 'node:stream'
import { BrokenFrame, frameOf, Frames } from '../../host/process/frames.ts'

/**
 * @param onMessage called with each message, in order
 * @param onClosed called once, when the other end is gone; also if it sent what is no message
 * @returns what sends a message; one that is sent to an end that is gone is lost
 */
// The caller writes out both types, so that both ends name the same ones.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function openChannel<Incoming, Outgoing>(
  from: Readable,
  to: Writable,
  onMessage: (message: Incoming) => void,
  onClosed: () => void,
): (message: Outgoing) => void {
  const frames = new Frames<Incoming>()
  let closed = false
  const close = (): void => {
    if (!closed) onClosed()
    closed = true
  }
  from.on('data', (bytes: Buffer) => {
    if (closed) return
    for (const message of messagesIn(frames, bytes) ?? (close(), [])) onMessage(message)
  })
  for (const event of ['end', 'close', 'error']) from.on(event, close)
  to.on('error', close)
  return (message) => {
    if (to.writable) to.write(frameOf(message))
  }
}

/** null for bytes that are no message. */
function messagesIn<Message>(frames: Frames<Message>, bytes: Buffer): readonly Message[] | null {
  try {
    return frames.take(bytes)
  } catch (error) {
    if (error instanceof BrokenFrame) return null
    throw error
  }
}
