import type PQueue from 'p-queue'

/**
 * Resolves when the work has begun. A caller that waits for this before it adds more work has nothing waiting in the
 * queue. There each of ten thousand items would take memory. The queue's own event for it makes an error with its stack
 * each time.
 */
export function startInTurn(queue: PQueue, work: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    void queue.add(() => {
      resolve()
      return work()
    })
  })
}
