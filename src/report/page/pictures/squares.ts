/** Squares in rows, drawn as one path for each kind: a page with thousands of elements would open slowly. */
import { html, type Html } from '../html.ts'

/** Side of a square with the gap to the next. */
const sideUnits = 10
const gapUnits = 1.5
const drawnUnits = sideUnits - gapUnits

/** The upper left corner of square `at`. */
export const cornerOf = (at: number, across: number): { readonly x: number; readonly y: number } => ({
  x: (at % across) * sideUnits,
  y: Math.floor(at / across) * sideUnits,
})

const squareAt = (at: number, across: number): string => {
  const { x, y } = cornerOf(at, across)
  return `M${x} ${y}h${drawnUnits}v${drawnUnits}h-${drawnUnits}z`
}

/** What distinguishes a kind without colour. */
const marks = {
  none: () => '',
  cross: (x: number, y: number) => `M${x + 2} ${y + 2}l4.5 4.5m0-4.5l-4.5 4.5`,
  bar: (x: number, y: number) => `M${x + 1.75} ${y + 4.25}h5`,
  slash: (x: number, y: number) => `M${x + 2} ${y + 6.5}l4.5-4.5`,
  dot: (x: number, y: number) => `M${x + 3.75} ${y + 4.25}h1`,
  double: (x: number, y: number) => `M${x + 3} ${y + 1.75}v5m2.5-5v5`,
} as const
export type Mark = keyof typeof marks

/** Squares of one kind. @param kind a class of the style */
export function squaresHtml(kind: string, mark: Mark, positions: readonly number[], across: number): Html {
  if (positions.length === 0) return html``
  const squares = positions.map((at) => squareAt(at, across)).join('')
  const marked = positions
    .map((at) => {
      const { x, y } = cornerOf(at, across)
      return marks[mark](x, y)
    })
    .join('')
  return html`<path
      class="sq ${kind}"
      d="${squares}"
    />${marked === '' ? html`` : html`<path class="mark" d="${marked}" />`}`
}

/** One square for a legend. */
export const swatchHtml = (kind: string, mark: Mark): Html =>
  html`<svg class="swatch" viewBox="0 0 8.5 8.5" aria-hidden="true" focusable="false">
    ${squaresHtml(kind, mark, [0], 1)}
  </svg>`

/** @param pixels width of a square on a wide screen */
export const pictureHtml = (total: number, across: number, pixels: number, content: readonly Html[]): Html =>
  html`<svg
    class="picture"
    width="${across * pixels}"
    viewBox="0 0 ${across * sideUnits} ${Math.ceil(total / across) * sideUnits}"
    aria-hidden="true"
    focusable="false"
  >
    ${content}
  </svg>`
