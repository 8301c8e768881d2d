/** "Text" in double quotes is a literal in a schema, unless it names something. */
import { expect, test } from 'vitest'
import { withLiterals } from '../../../../src/check/reader/schema/literals.ts'

const names = new Set(['a', 'state', 'it"s'])

test.each([
  ['state = "open"', `state = 'open'`],
  ['"state" = "Open"', `"state" = 'Open'`],
  ['"STATE" = "it""s" or "it""t" = `a`', `"STATE" = "it""s" or 'it"t' = \`a\``],
  [`a = "it's"`, `a = 'it''s'`],
  ['json_extract(a, "$.mark")', `json_extract(a, '$.mark')`],
  ['"lower"("a") = "x" /* "y" */ -- "z"', `"lower"("a") = 'x' /* "y" */ -- "z"`],
  ['t."b" = "b"', `t."b" = 'b'`],
  ['"t".a = [open]', '"t".a = [open]'],
  [`a in ("p", 'q', "")`, `a in ('p', 'q', '')`],
  [`a = '"no"'`, `a = '"no"'`],
])('%s', (expression, rewritten) => {
  expect(withLiterals(expression, names)).toBe(rewritten)
})
