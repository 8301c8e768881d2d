/** Reads the output of strace (`-f -y -s 0`) as calls, in the order in which they began. */

export interface TracedCall {
  readonly thread: number
  readonly name: string
  /** The arguments that were known when the call began. */
  readonly args: string
  readonly injected: boolean
}

const begun = /^(\d+) +([a-z_0-9]+)\((.*)$/

export function callsIn(text: string): readonly TracedCall[] {
  const calls: { thread: number; name: string; args: string; injected: boolean }[] = []
  /** The unfinished call of each thread. */
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
