import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Where Node stores the compiled code of programs. */
export const compiled = new URL('../../node_modules/.compiled', import.meta.url).pathname

/** The longest tests. They begin first, so that none of them runs alone at the end. */
const longest = [
  'cli/check/silent-change',
  'cli/check/remembered-files',
  'fleet/agent/networks',
  'fleet/agent/pgbouncer',
  'faults/kill',
  'faults/every-step',
  'hold/pinned/beside-writers',
  'cli/live/rude-writers',
  'real/sync-server',
  'faults/live-deaths',
  'cli/compare/compare-tenants',
  'cli/compare/compare',
  'check/differential',
  'faults/signals',
  'cli/many-files',
  'cli/bad-input',
  'check/compare/compare-damaged',
  'cli/exit-codes-of-tenants',
  'cli/usage',
  'cli/json-report',
  'faults/deaths',
  'faults/frozen',
  'service/conformance/conformance',
  'cli/sweep/hooks',
  'demo/misbehaviour',
  'cli/compare/compare-several',
  'hold/seal/guardian',
  'hold/snapshot/warm-copy',
  'census/wounds',
  'cli/terminal/terminal',
  'ledger/last-good',
  'faults/service-death',
].map((name) => `/test/${name}.test.ts`)

class LongestFirstSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => longest.some((name) => moduleId.endsWith(name))
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  // Tests start the built child programs (before-tests.ts builds them), as users do. From its sources a child takes
  // twice as long to start.
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
    // Tests with real processes and locks need processes, not threads. Three keep two cores busy; five took as long,
    // and each test took longer. Each process runs many files: loading all modules again for each file took a tenth of
    // the time.
    // No test has a mock or a global that could affect another.
    pool: 'forks',
    isolate: false,
    maxWorkers: 3,
    sequence: { sequencer: LongestFirstSequencer },
    // These end a test that hangs, and are no figures. A slow machine that is busy takes ten times as long as a fast
    // one.
    testTimeout: 400_000,
    hookTimeout: 400_000,
    expect: { poll: { timeout: 240_000 } },
    // Tests start programs some thousand times, so their compiled code is stored.
    env: { NODE_COMPILE_CACHE: compiled },
    globalSetup: [new URL('before-tests.ts', import.meta.url).pathname],
    setupFiles: [new URL('../../test/support/seed.ts', import.meta.url).pathname],
    reporters: ['default', new URL('totals-reporter.ts', import.meta.url).pathname],
  },
})
