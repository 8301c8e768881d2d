/** A file begins with the comment that says what the file is (.github/CONTRIBUTING.md, "How the code reads"). */
import { expect, it } from 'vitest'
import { sourceModules, type SourceModule } from '../support/sources.ts'

/** The formatter sorts imports, and moves a comment above the first one along with it. */
function commentsBetweenImports({ path, lines, imports, comments }: SourceModule): readonly string[] {
  const statements = imports.filter(({ line }) => lines[line - 1]?.startsWith('import '))
  const [first, last] = [statements[0]?.line ?? 0, statements.at(-1)?.line ?? 0]
  return comments
    .filter(({ line, text }) => text.startsWith('*') && line > first && line < last)
    .map(({ line }) => `${path}:${line}: the comment about the file comes before its imports`)
}

it('no comment about a file stands between its imports', () => {
  expect(sourceModules.flatMap(commentsBetweenImports)).toEqual([])
})
