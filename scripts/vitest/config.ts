import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Where Node keeps what it made of the sources of programs. */
export const compiled = new URL('../../node_modules/.compiled', import.meta.url).pathname

/**
 * These take longest. One that is begun last keeps all others waiting; Vitest knows only after a first run how long
 * each takes.
 */
const longest = [
  'cli/check/silent-change',
  'faults/kill',
  'faults/every-step',
  'cli/compare/compare',
  'check/differential',
  'faults/signals',
  'cli/bad-input',
  'check/compare/compare-damaged',
  'cli/exit-codes',
  'cli/json-report',
  'faults/deaths',
  'faults/frozen',
  'service/conformance/conformance',
  'cli/sweep/hooks',
  'demo/misbehaviour',
  'cli/compare/compare-several',
  'hold/seal/guardian',
  'hold/snapshot/warm-copy',
  'census/wounded',
  'cli/terminal/terminal',
  'ledger/last-good',
  'faults/service-death',
].map((name) => `/test/${name}.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => longest.some((name) => moduleId.endsWith(name))
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  // Children of what is tested in this process are those that people run (before-tests.ts builds them): from its
  // sources a child takes twice as long to start.
  resolve: {
    alias: [
      {
        find: /^(?:\.\.\/)+host\/process\/program-beside\.ts$/,
        replacement: new URL('../../test/support/built-program.ts', import.meta.url).pathname,
      },
    ],
  },
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Real processes and real locks want processes, not threads. Many tests wait for leases to end: five keep two cores
    // busy.
    // Each process runs many files: to load everything anew for each file took a tenth of the time, and no test has a
    // mock or a global that others could meet.
    pool: 'forks',
    isolate: false,
    maxWorkers: 5,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Programs are started some thousand times: what Node makes of them is kept.
    env: { NODE_COMPILE_CACHE: compiled },
    globalSetup: [new URL('before-tests.ts', import.meta.url).pathname],
    setupFiles: [new URL('../../test/support/seed.ts', import.meta.url).pathname],
    reporters: ['default', new URL('totals-reporter.ts', import.meta.url).pathname],
  },
})
