import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Real processes and real locks: each file gets a process of its own. Many of them wait for leases to end: twice as many as there are cores keep those busy.
    pool: 'forks',
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The children of tests are started from their sources some thousand times: what Node makes of those is kept.
    env: { NODE_COMPILE_CACHE: new URL('../node_modules/.compiled', import.meta.url).pathname },
    setupFiles: [new URL('../test/support/seed.ts', import.meta.url).pathname],
    reporters: ['default', new URL('totals-reporter.ts', import.meta.url).pathname],
  },
})
