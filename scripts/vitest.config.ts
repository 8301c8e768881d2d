import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Real processes and real locks: each file gets a process of its own, and two cores are all there are.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The children of tests are started from their sources some thousand times: what Node makes of those is kept.
    env: { NODE_COMPILE_CACHE: new URL('../node_modules/.compiled', import.meta.url).pathname },
    setupFiles: [new URL('../test/support/seed.ts', import.meta.url).pathname],
    reporters: ['default', new URL('totals-reporter.ts', import.meta.url).pathname],
  },
})
