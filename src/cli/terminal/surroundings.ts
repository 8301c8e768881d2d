/** What the terminal and the environment ask for: width, colours, letters. */

type Stream = Pick<NodeJS.WriteStream, 'columns'> & { readonly isTTY?: boolean }
type Environment = Readonly<Record<string, string | undefined>>

/** Typed as a boolean, and undefined for a pipe: which a library of colours would take for "as you like". */
export const isTerminal = (stream: Stream): boolean => stream.isTTY === true

/** No terminal is narrower; one whose size nobody set says 0. */
const widthMin = 20
const widthUnknown = 80

/**
 * Where lines are wrapped. COLUMNS goes first, as with `git` and `ps`, on a pipe too: `watch` sets it. A pipe without
 * it gets whole lines. Names in tables are never cut on a pipe, whatever COLUMNS says.
 */
export function widthOf(stream: Stream, { COLUMNS: asked = '' }: Environment): number {
  if (/^[1-9]\d{0,5}$/.test(asked)) return Math.max(widthMin, Number(asked))
  if (!isTerminal(stream)) return Infinity
  return stream.columns > 0 ? Math.max(widthMin, stream.columns) : widthUnknown
}

/** `git` too takes a terminal without a name for one that can do nothing. */
const isDumb = ({ TERM = '' }: Environment): boolean => TERM === '' || TERM === 'dumb'

/**
 * NO_COLOR goes first (no-color.org), then FORCE_COLOR (force-color.org; 0 and false: none), then what the terminal can
 * do.
 */
export function hasColors(stream: Stream, env: Environment): boolean {
  const { NO_COLOR: no = '', FORCE_COLOR: force = '' } = env
  if (no !== '') return false
  if (force !== '') return force !== '0' && force !== 'false'
  return isTerminal(stream) && !isDumb(env)
}

/**
 * A terminal whose size nobody set (serial lines, `docker run -t`, script(1)) says 0: there ora would clear lines for
 * ever, whoever stands still meanwhile.
 */
export const drawsLines = (stream: Stream, env: Environment): boolean =>
  isTerminal(stream) && !isDumb(env) && stream.columns > 0

/** The first of the three that is set decides, as in setlocale(3). Without one the locale is C. */
export function isUtf8({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== '') ?? 'C'
  return /utf-?8/i.test(locale)
}
