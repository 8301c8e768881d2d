import { readFileSync } from 'node:fs'
import { defineConfig, type RolldownOptions } from 'rolldown'

const source = (path: string): string => new URL(`../../src/${path}.ts`, import.meta.url).pathname

const { dependencies, peerDependencies } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { dependencies: Record<string, string>; peerDependencies: Record<string, string> }
const names = Object.keys({ ...dependencies, ...peerDependencies })

/**
 * Only our own modules are bundled. Libraries are loaded from node_modules, so that whoever installs holdfast can list,
 * audit and update them. What the compiler itself adds for `using` is bundled too.
 */
const common = {
  platform: 'node',
  transform: { target: 'node22.15' }, // As package.json promises. That version does not know `using`.
  external: (id) => names.some((name) => id === name || id.startsWith(`${name}/`)),
  output: { format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
} satisfies RolldownOptions

/** Each by itself: what two of them shared in a third file would be looked up at each call. */
const program = (name: string, path: string): RolldownOptions => ({
  ...common,
  input: { [name]: source(path) },
  // What is loaded later finds what it shares with a program in a file of its own, not in the program.
  preserveEntrySignatures: 'strict',
})

/** One file for each program: one of hundreds of modules starts three times as slowly. */
export default defineConfig([
  program('holdfast', 'cli/main'),
  program('guardian-child', 'hold/seal/guardian-child'),
  program('resume-child', 'hold/pause/resume-child'),
  program('probe-child', 'hold/seal/probe-child'),
  program('ledger-child', 'ledger/process/ledger-child'),
  program('reader-child', 'check/reader/reader-child'),
  program('mender-child', 'repair/mend/child/mender-child'),
  program('salvage-child', 'repair/salvage/child/salvage-child'),
  program('merge-child', 'repair/merge/child/merge-child'),
  program('chunk-child', 'fleet/agent/chunk-child'),
  program('compress-child', 'backup/compress-child'),
  program('gate', 'service/gate/index'),
])
