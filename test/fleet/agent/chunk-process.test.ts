/** The process that examines a chunk has no connection to the database, and nothing that would open one. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ChunkOrder } from '../../../src/fleet/agent/chunk-messages.ts'
import { ChunkProcess, type ChunkObserver } from '../../../src/fleet/agent/chunk-process.ts'

const observer: ChunkObserver = {
  slots: { take: () => Promise.resolve({ refused: 'away', why: 'a test' }), release: () => undefined },
  doneFiles: () => Promise.resolve(new Set()),
  onResult: () => undefined,
  onNotice: () => undefined,
  nextQuestion: () => Promise.resolve(null),
  onAnswer: () => undefined,
}

test('variables of PostgreSQL, such as its password, are not in its environment', async () => {
  const ours = { PGPASSWORD: 'the secret of the fleet', PGHOST: 'db.example', HOLDFAST_TEST: 'passed on' }
  Object.assign(process.env, ours)
  const chunk = await ChunkProcess.start({} as ChunkOrder, observer).finally(() => {
    for (const name of Object.keys(ours)) delete process.env[name]
  })
  const names = readFileSync(`/proc/${chunk.pid}/environ`, 'latin1')
    .split('\0')
    .map((line) => line.split('=')[0])
  chunk.detach()
  await chunk.ended
  expect(names).toContain('HOLDFAST_TEST')
  expect(names.filter((name) => name?.startsWith('PG'))).toEqual([])
})
