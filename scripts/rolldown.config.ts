import { defineConfig } from 'rolldown'

const source = (path: string): string => new URL(`../src/${path}.ts`, import.meta.url).pathname

/** One file for each program, and one for what two of them share: a program of a hundred modules starts three times as slowly. */
export default defineConfig({
  platform: 'node',
  input: {
    holdfast: source('cli/main'),
    'guardian-child': source('hold/guardian-child'),
    'probe-child': source('hold/probe-child'),
    'ledger-child': source('ledger/ledger-child'),
    'reader-child': source('check/reader-child'),
    gate: source('service/gate/index'),
  },
  // Libraries stay where npm put them, with their licences.
  external: (id) => !id.startsWith('.') && !id.startsWith('/'),
  output: { format: 'esm', minify: false },
})
