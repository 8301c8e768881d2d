/** The tasks of a coordinator: one that fails keeps no other from being done, and a defect ends all of them. */
import { expect, test } from 'vitest'
import { doRecurringTasks, type RecurringTaskObserver } from '../../../src/fleet/coordinator/recurring-tasks.ts'
import { Failure } from '../../../src/model/failure.ts'

function makeObserver(): { readonly said: string[]; readonly observer: RecurringTaskObserver } {
  const said: string[] = []
  let ms = 0
  const observer: RecurringTaskObserver = {
    onDone: (task, hadFailed) => void said.push(`${task} was done${hadFailed ? ' again' : ''}`),
    onFailed: (task, { message }, forMs) => Promise.resolve(void said.push(`${task}: ${message} for ${forMs} ms`)),
    now: () => (ms += 100),
  }
  return { said, observer }
}

test('a task that fails is tried again, and the others go on', async () => {
  const { said, observer } = makeObserver()
  const end = new AbortController()
  let tries = 0
  let others = 0
  const failing = async (): Promise<void> => {
    if (++tries < 3) throw new Failure('FLEET_UNREACHABLE', 'no answer')
    await Promise.resolve()
    end.abort()
  }
  const other = async (): Promise<void> => Promise.resolve(void others++)
  await doRecurringTasks(
    [
      { name: 'free slots', everyMs: 1, work: failing },
      { name: 'send alarms', everyMs: 1, work: other },
    ],
    observer,
    end.signal,
  )
  expect(said.filter((line) => line.startsWith('free'))).toEqual([
    'free slots: no answer for 100 ms',
    'free slots: no answer for 200 ms',
    'free slots was done again',
  ])
  expect(others).toBeGreaterThan(3)
})

test('a defect ends all tasks, and is thrown', async () => {
  const { observer } = makeObserver()
  const defective = (): Promise<void> => Promise.reject(new TypeError('a defect'))
  const other = (): Promise<void> => Promise.resolve()
  const tasks = [
    { name: 'free slots', everyMs: 3_600_000, work: other },
    { name: 'send alarms', everyMs: 1, work: defective },
  ]
  await expect(doRecurringTasks(tasks, observer, new AbortController().signal)).rejects.toThrow('a defect')
})
