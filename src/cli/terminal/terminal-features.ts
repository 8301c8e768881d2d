/** What the terminal and the environment ask for: width, colours, letters. */

type Stream = Pick<NodeJS.WriteStream, 'columns'> & { readonly isTTY?: boolean }
type Environment = Readonly<Record<string, string | undefined>>

/** Node declares `isTTY` as a boolean, but it is undefined for a pipe: a library of colours would then guess. */
export const isTerminal = (stream: Stream): boolean => stream.isTTY === true

/** No terminal is narrower. A terminal whose size was never set reports 0. */
const widthMin = 20
const widthUnknown = 80

/**
 * Columns at which lines are wrapped; Infinity for a pipe without COLUMNS. COLUMNS counts before all else, on a pipe
 * too, as for `git` and `ps`: `watch` sets it. It never makes tables on a pipe cut names.
 */
export function widthOf(stream: Stream, { COLUMNS: asked = '' }: Environment): number {
  if (/^[1-9]\d{0,5}$/.test(asked)) return Math.max(widthMin, Number(asked))
  if (!isTerminal(stream)) return Infinity
  return stream.columns > 0 ? Math.max(widthMin, stream.columns) : widthUnknown
}

/** A terminal without a name counts as dumb, as it does for `git`. */
const isDumb = ({ TERM = '' }: Environment): boolean => TERM === '' || TERM === 'dumb'

/** NO_COLOR counts first (no-color.org), then FORCE_COLOR (force-color.org; 0 and false: none), then the terminal. */
export function hasColors(stream: Stream, env: Environment): boolean {
  const { NO_COLOR: no = '', FORCE_COLOR: force = '' } = env
  if (no !== '') return false
  if (force !== '') return force !== '0' && force !== 'false'
  return isTerminal(stream) && !isDumb(env)
}

/**
 * False for a terminal whose size was never set (serial lines, `docker run -t`, script(1)). It reports 0 columns, and
 * ora would clear lines for ever while tenants may be paused.
 */
export const drawsLines = (stream: Stream, env: Environment): boolean =>
  isTerminal(stream) && !isDumb(env) && stream.columns > 0

/** The first of the three that is set decides, as in setlocale(3). If none is set, the locale is C. */
export function isUtf8({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== '') ?? 'C'
  return /utf-?8/i.test(locale)
}
