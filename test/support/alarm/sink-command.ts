/** A command as a sink: it writes each alarm that it gets into a folder. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Alarm } from '../../../src/alarm/alarm.ts'
import { problemsOfDocument } from '../cli/json-documents.ts'

export interface SinkCommand {
  readonly command: readonly string[]
  /** What it was given, the oldest first; each fits the published schema. */
  alarms(): readonly Alarm[]
  /** The titles of these. */
  titles(): readonly string[]
  /** From now on the command does this instead, in sh; null: it takes alarms again. */
  become(script: string | null): void
}

export function makeSinkCommand(folder: string): SinkCommand {
  const [taken, script] = [join(folder, 'taken'), join(folder, 'sink.sh')]
  mkdirSync(taken, { recursive: true })
  const write = (body: string): void => writeFileSync(script, `#!/bin/sh\n${body}\n`, { mode: 0o700 })
  const take = `cat > "${taken}/part.$$" && mv "${taken}/part.$$" "${taken}/$(date +%s%N).json"`
  write(take)
  const alarms = (): readonly Alarm[] =>
    readdirSync(taken)
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map((name) => JSON.parse(readFileSync(join(taken, name), 'utf8')) as Alarm)
  return {
    command: [script],
    alarms() {
      const found = alarms()
      for (const alarm of found) expect(problemsOfDocument(alarm)).toEqual([])
      return found
    },
    titles: () => alarms().map(({ title }) => title),
    become: (body) => write(body ?? take),
  }
}
