/** Which folder may import which (src/ARCHITECTURE.md, "Folders"). `npm run lint` finds circles between modules. */
import { basename, dirname } from 'node:path'
import { expect, it } from 'vitest'
import { sourceFiles, sourceModules, type ImportedModule, type SourceModule } from '../support/sources.ts'

/** A folder may import itself and those before it. */
const order = [
  'model',
  'text',
  'sqlite',
  'census',
  'comparison',
  'diagnosis',
  'host',
  'config',
  'service',
  'ledger',
  'hold',
  'check',
  'backup',
  'repair',
  'runs',
  'doctor',
  'fleet',
  'report',
  'alarm',
  'cli',
]
const pure = new Set(order.slice(0, order.indexOf('host')))
/** Packages that have no effects. */
const pureLibraries = new Set(['get-east-asian-width', 'leven', 'minimatch'])

const modules = sourceModules.filter(({ path }) => path.startsWith('src/'))
const imports = sourceModules.flatMap((from) => from.imports.map((imported) => ({ from, imported })))
const importsOfSources = imports.filter(({ from }) => from.path.startsWith('src/'))

const folderOf = (path: string): string => path.split('/')[1] ?? ''
const orderOf = (path: string): number => order.indexOf(folderOf(path))
const isIn = (path: string | null, folder: string): boolean => path?.startsWith(`${folder}/`) ?? false

type FoundImports = readonly { readonly from: SourceModule; readonly imported: ImportedModule }[]
const violations = (found: FoundImports, rule: string): readonly string[] =>
  found.map(({ from, imported }) => `${from.path}:${imported.line}: imports ${imported.target}: ${rule}`)

it('src/ARCHITECTURE.md lists the folders in this order', () => {
  const lines = sourceFiles.find(({ path }) => path === 'src/ARCHITECTURE.md')?.lines ?? []
  const rows = lines.flatMap((line) => /^\| (`[a-z]+\/`(?:, `[a-z]+\/`)*) \|/.exec(line)?.[1] ?? [])
  const listed = rows.flatMap((cell) => [...cell.matchAll(/[a-z]+/g)].map(([folder]) => folder))
  expect(listed).toEqual(order)
})

it('every source file lies in a known folder', () => {
  const strays = modules.filter(({ path }) => orderOf(path) < 0)
  expect(strays.map(({ path }) => `${path}:1: its folder has no place in the order of imports`)).toEqual([])
  expect(modules.length).toBeGreaterThan(0)
})

it('no folder imports one that comes after it', () => {
  const found = importsOfSources.filter(({ from, imported: { path } }) =>
    path === null ? false : !isIn(path, 'src') || orderOf(path) > orderOf(from.path),
  )
  expect(violations(found, 'a folder may import itself and those before it')).toEqual([])
})

it('the pure folders import nothing with effects', () => {
  const found = importsOfSources.filter(
    ({ from, imported: { path, target } }) =>
      pure.has(folderOf(from.path)) && path === null && !pureLibraries.has(target),
  )
  expect(violations(found, 'this folder has no effects')).toEqual([])
})

it('the gate has no dependencies but Node and itself', () => {
  const found = importsOfSources.filter(
    ({ from, imported: { path, target } }) =>
      isIn(from.path, 'src/service/gate') &&
      (path === null ? !target.startsWith('node:') : !isIn(path, 'src/service/gate')),
  )
  expect(violations(found, 'services embed the gate: it imports Node and itself')).toEqual([])
})

/** Modules that run in confined children. Those of repair/ use what those of check/ know of pages and schemas. */
const confined = /^src\/(?:check\/reader|repair\/[a-z]+\/child)\//

it('only confined children and tests import what runs in confined children', () => {
  const found = imports.filter(
    ({ from, imported: { path } }) =>
      path !== null && confined.test(path) && !confined.test(from.path) && !isIn(from.path, 'test'),
  )
  expect(violations(found, 'it runs in confined children only')).toEqual([])
})

it('commands import nothing from each other', () => {
  const found = imports.filter(
    ({ from, imported: { path } }) => isIn(from.path, 'src/cli/commands') && isIn(path, 'src/cli/commands'),
  )
  expect(violations(found, 'what two commands share belongs beside commands/')).toEqual([])
})

it('scripts import nothing of the tests', () => {
  const found = imports.filter(({ from, imported: { path } }) => isIn(from.path, 'scripts') && isIn(path, 'test'))
  expect(violations(found, 'scripts/ imports nothing of test/')).toEqual([])
})

/** Programs that people start, and their modules. */
const programs = ['test/fuzz', 'test/soak']
/** `npm run lint` compiles it, and nothing runs it. */
const misuses = 'test/architecture/must-not-compile.ts'

it('the helpers of tests lie in test/support/', () => {
  const found = sourceModules.filter(
    ({ path }) =>
      isIn(path, 'test') &&
      !isIn(path, 'test/support') &&
      !basename(path).endsWith('.test.ts') &&
      !programs.includes(dirname(path)) &&
      path !== misuses,
  )
  expect(found.map(({ path }) => `${path}:1: not a test; its place is test/support/`)).toEqual([])
})

it('no test imports another test', () => {
  const found = imports.filter(({ imported: { path } }) => path?.endsWith('.test.ts') ?? false)
  expect(violations(found, 'what two tests share belongs in test/support/')).toEqual([])
})

const mentions = (pattern: RegExp): readonly { readonly path: string; readonly at: string }[] =>
  modules.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [{ path, at: `${path}:${index + 1}` }] : [])),
  )

it('only hold/ accepts a LivePath', () => {
  const found = mentions(/\bLivePath\b/).filter(({ path }) => !['hold', 'model'].includes(folderOf(path)))
  expect(found.map(({ at }) => `${at}: live files are opened in hold/ and nowhere else`)).toEqual([])
})

it('only hold/live/ makes a LivePath', () => {
  const made = mentions(/\bas (?:unknown as )?(?:readonly )?LivePath\b|\bis LivePath\b|<LivePath>\w/)
  expect(made.length).toBeGreaterThan(0)
  const found = made.filter(({ path }) => !isIn(path, 'src/hold/live'))
  expect(found.map(({ at }) => `${at}: only hold/live/ makes a LivePath`)).toEqual([])
})
