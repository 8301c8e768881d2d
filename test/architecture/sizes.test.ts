/** Files are read in one go, and folders are seen at one sight (.github/CONTRIBUTING.md, "How the code reads"). */
import { dirname, extname } from 'node:path'
import { expect, it } from 'vitest'
import { sourceFiles } from '../support/sources.ts'

const linesMax = 300
const columnsMax = 120
const filesMax = (folder: string): number => (folder.startsWith('test') ? 25 : 15)

/** Files that may be longer, each with the reason. */
const longFiles: ReadonlyMap<string, string> = new Map([
  ['src/report/schemas/report.schema.json', 'one document, published under its name'],
  ['src/config/README.md', 'one page, made of the schema: each key is searched in it'],
  ['src/service/admin-api.yaml', 'one document, published under its name'],
])

/** A table of Markdown cannot be wrapped, and prose of a JSON Schema is one string. */
const wide = (path: string, line: string): boolean =>
  line.length > columnsMax && (extname(path) === '.md' ? !line.startsWith('|') : extname(path) !== '.json')

it(`no file has more than ${linesMax} lines`, () => {
  const long = sourceFiles
    .map(({ path, lines }) => ({ path, count: lines.length - 1 }))
    .filter(({ path, count }) => count > linesMax && !longFiles.has(path))
  expect(
    long.map(({ path, count }) => `${path}: ${count} lines, ${linesMax} are allowed: split it by meaning`),
  ).toEqual([])
})

it('each exception to the length of a file is needed', () => {
  const needed = sourceFiles.filter(({ lines }) => lines.length - 1 > linesMax).map(({ path }) => path)
  expect([...longFiles.keys()].filter((path) => !needed.includes(path))).toEqual([])
})

it(`no line has more than ${columnsMax} columns`, () => {
  const found = sourceFiles.flatMap(({ path, lines }) =>
    lines.flatMap((line, at) =>
      wide(path, line) ? [`${path}:${at + 1}: ${line.length} columns, ${columnsMax} are allowed`] : [],
    ),
  )
  expect(found).toEqual([])
})

it('each file ends with one line feed, no line ends with a space, and none has a tab', () => {
  const found = sourceFiles.flatMap(({ path, lines }) => [
    ...(lines.at(-1) === '' && lines.at(-2) !== '' ? [] : [`${path}: its end`]),
    ...lines.flatMap((line, at) => (/[ \t]$|\t/.test(line) ? [`${path}:${at + 1}`] : [])),
  ])
  expect(found).toEqual([])
})

it('no folder has more files than one takes in at one sight', () => {
  const folders = Map.groupBy(
    sourceFiles.filter(({ path }) => path.includes('/')),
    ({ path }) => dirname(path),
  )
  const full = [...folders].filter(([folder, files]) => files.length > filesMax(folder))
  expect(
    full.map(([folder, files]) => `${folder}/: ${files.length} files, ${filesMax(folder)} are allowed: group them`),
  ).toEqual([])
})
