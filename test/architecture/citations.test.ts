/** What a comment or a document cites is in the repository: files, folders, codes, and the tests that show a code. */
import { existsSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { expect, it } from 'vitest'
import { repository } from '../support/processes.ts'
import { sourceFiles, sourceModules, type SourceFile, type Span } from '../support/sources.ts'

/** `hold/README.md`, but no path from the repository of a machine, no placeholder and no pattern. */
const citedFile = /(?<![\w/.~$<>{}*@-])(?:\.{1,2}\/)*[\w-]+(?:[./][\w-]+)*\.(?:ts|md|sh|py|js|json|yaml)\b(?![/*\w-])/g
/** `hold/live/` */
const citedFolder = /(?<![\w/.~$<>{}*@:-])[\w-]+(?:\/[\w-]+)*\/(?![\w/*<{$~.-])/g

/** A test without `.test.ts`. */
const citedTest = /(?<![\w/.-])test\/[\w-]+(?:\/[\w-]+)*(?![\w/.*-])/g

/** A name in capitals stands for any name: `src/cli/commands/NAME.ts`. */
const isPlaceholder = (cited: string): boolean =>
  /[A-Z]{2,}/.test(cited.replace(/README|ARCHITECTURE|CONTRIBUTING/, ''))
/** Files of users, of other programs, of the build and in the demo's report. */
const elsewhere = /^(?:Node\.js|app\.js|(?:\.\/)?holdfast\.yaml|(?:dist|node_modules)\/.*|rogue\.ts)$/

const folders = new Set(sourceFiles.flatMap(({ path }) => foldersOf(path)))
function foldersOf(path: string): readonly string[] {
  return path.includes('/') ? [`${dirname(path)}/`, ...foldersOf(dirname(path))] : []
}
const published = new Set(
  Object.keys((JSON.parse(sourceText('package.json')) as { exports: object }).exports).map((name) => name.slice(2)),
)

function sourceText(path: string): string {
  return sourceFiles.find((file) => file.path === path)?.lines.join('\n') ?? ''
}

/** From the citing file, from src/, test/ or the top; a name alone also anywhere below the citing file. */
function exists(cited: string, from: string): boolean {
  const near = [dirname(from), 'src', 'test', ''].some((folder) => existsSync(join(repository, folder, cited)))
  if (from.endsWith('.md') && cited.startsWith('test/') && existsSync(join(repository, `${cited}.test.ts`))) return true
  if (near || published.has(cited.replace(/^holdfast\//, ''))) return true
  const below = [...folders, ...sourceFiles.map(({ path }) => path)].filter((path) =>
    path.startsWith(`${dirname(from)}/`),
  )
  return below.some((path) => path.endsWith(`/${cited}`))
}

const missing = (from: SourceFile, text: string, line: number): readonly string[] =>
  [citedFile, citedFolder, citedTest]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .filter(([cited]) => !elsewhere.test(cited) && !isPlaceholder(cited) && !exists(cited, from.path))
    .map(({ 0: cited, index }) => {
      const lineOfCitation = line + text.slice(0, index).split('\n').length - 1
      return `${from.path}:${lineOfCitation}: cites ${cited}, which does not exist`
    })

const modulePaths = new Set(sourceModules.map(({ path }) => path))
/** Comments of files that the parser of modules does not read. */
function commentsOf({ path, lines }: SourceFile): readonly Span[] {
  const signs: Readonly<Record<string, RegExp>> = {
    '.sh': /(?:^|\s)#(.*)/,
    '.py': /(?:^|\s)#(.*)/,
    '.yaml': /(?:^|\s)#(.*)/,
    '.c': /(?:^|\s)\/?[/*]\*?(.*)/,
    '.js': /(?:^|\s)\/?[/*]\*?(.*)/,
    '.ts': /(?:^|\s)\/?[/*]\*?(.*)/,
  }
  const sign = signs[extname(path)]
  if (sign === undefined || modulePaths.has(path)) return []
  return lines.flatMap((text, at) =>
    [...(sign.exec(text) ?? [])].slice(1).map((comment) => ({ line: at + 1, text: comment })),
  )
}

const comments = [...sourceModules, ...sourceFiles.map((file) => ({ ...file, comments: commentsOf(file) }))]
const documents = sourceFiles.filter(({ path }) => path.endsWith('.md'))

it('each path that a comment cites exists', () => {
  expect(comments.flatMap((file) => file.comments.flatMap(({ text, line }) => missing(file, text, line)))).toEqual([])
})

it('each path that a document cites exists', () => {
  expect(documents.flatMap((file) => missing(file, file.lines.join('\n'), 1))).toEqual([])
})

const architecture = 'src/ARCHITECTURE.md'
/** Rows of the table of codes: `| F1, F2 | what it says | the tests that show it |`. */
const codeRows = sourceText(architecture)
  .split('\n')
  .flatMap((text, at) => {
    const [, codes, , shownBy] = text.split('|').map((cell) => cell.trim())
    return codes !== undefined && /^[FI]\d/.test(codes)
      ? [{ line: at + 1, codes: codes.split(/,\s*/), shownBy: shownBy ?? '' }]
      : []
  })

it(`each code of ${architecture} names tests that exist, or says that it is not built yet`, () => {
  expect(codeRows.length).toBeGreaterThan(0)
  const found = codeRows.flatMap(({ line, codes, shownBy }) => {
    const tests = [...shownBy.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')
    const absent = tests.filter(
      (name) => !['.test.ts', '.ts'].some((end) => existsSync(join(repository, 'test', name + end))),
    )
    if (tests.length === 0 && !shownBy.includes('not built yet')) absent.push('no test')
    return absent.map((name) => `${architecture}:${line}: ${codes.join(', ')}: no such test: ${name}`)
  })
  expect(found).toEqual([])
})

/** The last cells of tables whose last column is `shown by`: names of tests, with or without `test/`. */
const testCells = documents.flatMap(({ path, lines }) => {
  let isShown = false
  return lines.flatMap((text, at) => {
    const last = text.startsWith('|') ? (text.split('|').at(-2)?.trim() ?? '') : null
    isShown = last === 'shown by' || (isShown && last !== null)
    return isShown ? [{ path, line: at + 1, cell: last ?? '' }] : []
  })
})

it('each test that a table of facts cites exists', () => {
  const found = testCells.flatMap(({ path, line, cell }) =>
    [...cell.matchAll(/`(?:test\/)?([^`]+)`/g)]
      .filter(([, name = '']) => !['.test.ts', '.ts'].some((end) => existsSync(join(repository, 'test', name + end))))
      .map(([, name = '']) => `${path}:${line}: no such test: ${name}`),
  )
  expect(testCells.length).toBeGreaterThan(0)
  expect(found).toEqual([])
})

it(`each code that a comment or a document cites is in the table of ${architecture}`, () => {
  const known = new Set(codeRows.flatMap(({ codes }) => codes))
  const cited = [
    ...comments.flatMap((file) => file.comments.map((comment) => ({ path: file.path, ...comment }))),
    ...documents.flatMap(({ path, lines }) => lines.map((text, at) => ({ path, line: at + 1, text }))),
  ]
  const found = cited.flatMap(({ path, line, text }) =>
    [...text.matchAll(/\b(?:F\d{1,2}|I\d\.\d{1,2})\b/g)]
      .filter(([code]) => !known.has(code))
      .map(([code]) => `${path}:${line}: cites ${code}, which ${architecture} does not explain`),
  )
  expect(found).toEqual([])
})
