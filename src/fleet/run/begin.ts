import type PQueue from 'p-queue'

/**
 * Resolves when the work has begun: whoever waits for that before it adds more has none waiting in the queue, where
 * each of ten thousand would cost memory. The queue's own event for it costs an error with its stack each time.
 */
export function begin(queue: PQueue, work: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    void queue.add(() => {
      resolve()
      return work()
    })
  })
}
