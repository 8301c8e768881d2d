/** Is the caller still there? No tenant stands still for one that has gone: it can neither use the lease nor end it. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** One who sent its last byte has gone as well: its connection is closed behind that. */
const isOpen = (socket: Socket): boolean => !socket.destroyed && !socket.readableEnded && !socket.writableEnded

/** All who wait for one piece of work: a request that is repeated under its key comes by another connection. */
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
   * What the kernel knows by now is heard first: a service that was frozen reads a request before it reads that its
   * caller has gone. Data and the end behind it come in two turns of the event loop.
   */
  async stillThere(): Promise<boolean> {
    for (let turn = 0; turn < 2; turn++)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    return [...this.#sockets].some(isOpen)
  }
}
