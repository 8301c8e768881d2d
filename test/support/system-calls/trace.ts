/** Reads what strace wrote (`-f -y -s 0`) as calls, in the order in which they began. */

export interface Call {
  readonly thread: number
  readonly name: string
  /** The arguments as far as they were known when the call began. */
  readonly args: string
  readonly injected: boolean
}

const begun = /^(\d+) +([a-z_0-9]+)\((.*)$/

export function callsIn(text: string): readonly Call[] {
  const calls: { thread: number; name: string; args: string; injected: boolean }[] = []
  /** The call that a thread is in. */
  const open = new Map<number, (typeof calls)[number]>()
  for (const line of text.split('\n')) {
    const resumed = /^(\d+) +<\.\.\. /.exec(line)
    if (resumed) {
      const call = open.get(Number(resumed[1]))
      if (call && line.endsWith('(INJECTED)')) call.injected = true
      continue
    }
    const match = begun.exec(line)
    if (!match) continue // A signal, or the end of a process.
    const [, thread = '', name = '', args = ''] = match
    const call = { thread: Number(thread), name, args, injected: line.endsWith('(INJECTED)') }
    calls.push(call)
    open.set(call.thread, call)
  }
  return calls
}
