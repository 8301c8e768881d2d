import { expect, test } from 'vitest'
import { drawsLines, hasColors, isUtf8, widthOf } from '../../../src/cli/terminal/terminal-features.ts'

const terminal = { isTTY: true, columns: 132 }
const pipe = { columns: 0 }

test.each([
  [terminal, {}, 132],
  [terminal, { COLUMNS: '60' }, 60],
  [terminal, { COLUMNS: '0' }, 132],
  [terminal, { COLUMNS: 'wide' }, 132],
  [terminal, { COLUMNS: '3' }, 20],
  [{ isTTY: true, columns: 0 }, {}, 80],
  [pipe, {}, Infinity],
  [pipe, { COLUMNS: '60' }, 60],
  [pipe, { COLUMNS: '' }, Infinity],
])('of %j with %j lines are wrapped at %d', (stream, env, width) => {
  expect(widthOf(stream, env)).toBe(width)
})

test.each([
  [terminal, { TERM: 'xterm' }, true],
  [pipe, { TERM: 'xterm' }, false],
  [terminal, { TERM: 'dumb' }, false],
  [terminal, {}, false],
  [terminal, { TERM: 'xterm', NO_COLOR: '1' }, false],
  [terminal, { TERM: 'xterm', NO_COLOR: '' }, true],
  [pipe, { FORCE_COLOR: '1' }, true],
  [pipe, { FORCE_COLOR: '' }, false],
  [terminal, { TERM: 'xterm', FORCE_COLOR: '0' }, false],
  [terminal, { TERM: 'dumb', FORCE_COLOR: '3' }, true],
  [pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  [pipe, { CI: '1' }, false],
])('%j with %j: colours %s', (stream, env, colors) => {
  expect(hasColors(stream, env)).toBe(colors)
})

test.each([
  [terminal, { TERM: 'xterm' }, true],
  [terminal, { TERM: 'dumb' }, false],
  [{ isTTY: true, columns: 0 }, { TERM: 'xterm' }, false],
  [pipe, { TERM: 'xterm' }, false],
])('%j with %j draws lines anew: %s', (stream, env, draws) => {
  expect(drawsLines(stream, env)).toBe(draws)
})

test.each([
  [{}, false],
  [{ LANG: 'C.UTF-8' }, true],
  [{ LANG: 'de_DE.utf8' }, true],
  [{ LANG: 'C.UTF-8', LC_ALL: 'C' }, false],
  [{ LANG: 'C', LC_CTYPE: 'en_US.UTF-8' }, true],
  [{ LC_ALL: 'POSIX' }, false],
  [{ LC_ALL: '', LANG: 'C.UTF-8' }, true],
  [{ LANG: 'de_DE.ISO-8859-1' }, false],
])('%j is UTF-8: %s', (env, utf8) => {
  expect(isUtf8(env)).toBe(utf8)
})
