import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type Plugin, type RolldownOptions } from 'rolldown'

const source = (path: string): string => new URL(`../../src/${path}.ts`, import.meta.url).pathname

const common = {
  platform: 'node',
  transform: { target: 'node22.15' }, // As package.json promises: `using` is not yet known to it.
} as const

/**
 * Not as an ES module: to import a module of Node itself from one makes all that it could ever need, which took a fifth
 * of the start of a program. And each by itself: what two of them shared in a third file would be looked up at each
 * call.
 */
const program = (name: string, path: string, plugins: Plugin[] = []): RolldownOptions => ({
  ...common,
  input: { [name]: source(path) },
  external: ['better-sqlite3', 'koffi'], // Native.
  // What is loaded later finds what it shares with a program in a file of its own, not in the program.
  preserveEntrySignatures: 'strict',
  output: { format: 'cjs', strict: true, entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
  plugins,
})

/** One file for each program: one of hundreds of modules starts three times as slowly. */
export default defineConfig([
  program('holdfast', 'cli/main', [licences()]), // The others have no library that this one has not.
  program('guardian-child', 'hold/seal/guardian-child'),
  program('resume-child', 'hold/pause/resume-child'),
  program('probe-child', 'hold/seal/probe-child'),
  program('ledger-child', 'ledger/process/ledger-child'),
  program('reader-child', 'check/reader/reader-child'),
  { ...common, input: { gate: source('service/gate/index') }, output: { format: 'esm' } },
])

/** Puts the licences of the libraries that were bundled beside them. */
function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []))
      const folders = new Set(modules.flatMap((module) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module) ?? []))
      const texts = [...folders].toSorted().map((folder) => {
        const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
          name: string
          version: string
        }
        const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one))
        if (file === undefined) throw new Error(`${name} has no licence beside its code`)
        return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
      })
      this.emitFile({
        type: 'asset',
        fileName: 'LICENCES.txt',
        source: `Libraries in these programs, and their licences.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`,
      })
    },
  }
}
