/** All source files, read once for the tests of the architecture, with their imports, exports and comments. */
import { globSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseSync } from 'rolldown/utils'
import { repository } from './processes.ts'

export interface SourceFile {
  /** From the top of the repository. */
  readonly path: string
  readonly lines: readonly string[]
}

export interface Span {
  readonly line: number
  readonly text: string
}

export interface ImportedModule {
  readonly line: number
  /** As it is written: a path, or the name of a package. */
  readonly target: string
  /** From the top of the repository; null for a package or a module of Node. */
  readonly path: string | null
}

/** A TypeScript module. */
export interface SourceModule extends SourceFile {
  /** Also those of types and those that are awaited. */
  readonly imports: readonly ImportedModule[]
  /** What the module itself declares and exports, without its default. */
  readonly exports: readonly Span[]
  readonly comments: readonly Span[]
}

/** All files of the repository, except the licence, the lock file and what the build makes. */
export const sourceFiles: readonly SourceFile[] = globSync(
  ['{src,test,scripts,bin,.github,.ci}/**/*', '*.{md,json}', '.editorconfig', '.gitignore'],
  { cwd: repository },
)
  .filter((path) => !/^package-lock\.json$|\.wasm$/.test(path) && statSync(join(repository, path)).isFile())
  .toSorted()
  .map((path) => ({ path, lines: readFileSync(join(repository, path), 'utf8').split('\n') }))

/** The core of the census is AssemblyScript, which this parser cannot read. */
export const sourceModules: readonly SourceModule[] = sourceFiles
  .filter(({ path }) => path.endsWith('.ts') && !path.startsWith('src/census/fast/core/'))
  .map(readModule)

function readModule(file: SourceFile): SourceModule {
  const text = file.lines.join('\n')
  const { module, comments, errors } = parseSync(basename(file.path), text)
  if (errors[0]) throw new Error(`${file.path}: ${errors[0].message}`)
  const lineAt = lineCounter(text)
  const imported = (target: string, offset: number): ImportedModule => ({
    line: lineAt(offset),
    target,
    path: target.startsWith('.') ? join(dirname(file.path), target) : null,
  })
  const ofOthers = new Set(module.staticImports.flatMap(({ entries }) => entries.map((entry) => entry.localName.value)))
  return {
    ...file,
    imports: [
      ...module.staticImports.map(({ moduleRequest, start }) => imported(moduleRequest.value, start)),
      ...module.staticExports.flatMap(({ entries, start }) =>
        entries
          .slice(0, 1)
          .flatMap(({ moduleRequest }) => (moduleRequest ? [imported(moduleRequest.value, start)] : [])),
      ),
      ...module.dynamicImports
        .map(({ moduleRequest: { start, end } }) => ({ start, literal: /^'(.*)'$/.exec(text.slice(start, end)) }))
        .flatMap(({ start, literal }) => (literal?.[1] === undefined ? [] : [imported(literal[1], start)])),
    ],
    exports: module.staticExports.flatMap(({ entries, start }) =>
      entries
        .filter(({ moduleRequest, localName }) => moduleRequest === null && !ofOthers.has(localName.name ?? ''))
        .flatMap(({ exportName }) =>
          exportName.name === null ? [] : [{ line: lineAt(start), text: exportName.name }],
        ),
    ),
    comments: comments.map(({ value, start }) => ({ line: lineAt(start), text: value })),
  }
}

/** @returns the line of an offset, from 1 */
function lineCounter(text: string): (offset: number) => number {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  return (offset) => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}
