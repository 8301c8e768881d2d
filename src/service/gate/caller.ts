/**
 * Knows whether the caller of a request is still there. No tenant is paused for a caller that is gone: it can neither
 * use the lease nor end it.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** A caller that has sent its last byte counts as gone too: its connection is closed after that. */
const isOpen = (socket: Socket): boolean => !socket.destroyed && !socket.readableEnded && !socket.writableEnded

/**
 * All callers that wait for one piece of work. A request that is repeated under its key comes on another connection.
 */
export class Callers {
  readonly #sockets = new Set<Socket>()

  constructor({ socket }: IncomingMessage) {
    this.#sockets.add(socket)
  }

  join(others: Callers): void {
    for (const socket of others.#sockets) this.#sockets.add(socket)
    for (const socket of this.#sockets) if (!isOpen(socket)) this.#sockets.delete(socket)
  }

  /**
   * Lets the event loop read what the kernel knows by now. A service that was frozen reads a request before it reads
   * that the caller is gone. Data and the end of the connection come in two turns of the event loop.
   */
  async stillThere(): Promise<boolean> {
    for (let turn = 0; turn < 2; turn++)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    return [...this.#sockets].some(isOpen)
  }
}
