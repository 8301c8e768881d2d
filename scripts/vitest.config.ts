import { defineConfig } from 'vitest/config'

/** Where Node keeps what it made of the sources of programs. */
export const compiled = new URL('../node_modules/.compiled', import.meta.url).pathname

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Real processes and real locks want processes, not threads. Many tests wait for leases to end: twice as many as there are cores keep those busy.
    // Each process runs many files: to load everything anew for each file took a tenth of the time, and no test has a mock or a global that others could meet.
    pool: 'forks',
    isolate: false,
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The children of tests are started from their sources some thousand times: what Node makes of those is kept.
    env: { NODE_COMPILE_CACHE: compiled },
    globalSetup: [new URL('compile-children.ts', import.meta.url).pathname],
    setupFiles: [new URL('../test/support/seed.ts', import.meta.url).pathname],
    reporters: ['default', new URL('totals-reporter.ts', import.meta.url).pathname],
  },
})
