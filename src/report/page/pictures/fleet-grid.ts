/** The fleet as a grid: one square for each thing, or for a few of them. */
import { count, groupDigits } from '../../../text/count.ts'
import { html, nothing, type Html } from '../html.ts'
import { cellStates, type CellState, type PageData } from '../page-data.ts'
import { pictureHtml, squaresHtml, swatchHtml, type Mark } from './squares.ts'

const squaresMax = 4096

type CellStyles = Readonly<Record<CellState, { readonly words: string; readonly mark: Mark }>>

const looks: CellStyles = {
  paused: { words: 'may still be paused', mark: 'double' },
  damaged: { words: 'damaged', mark: 'cross' },
  failed: { words: 'failed: not checked', mark: 'bar' },
  inconclusive: { words: 'inconclusive', mark: 'slash' },
  notCovered: { words: 'not covered: the run ended first', mark: 'dot' },
  sound: { words: 'sound', mark: 'none' },
}

export function fleetHtml({ cells, counts }: PageData, noun: string): Html {
  const notCovered = Array.from({ length: Math.min(counts.notCovered, squaresMax * 4) }, () => 'notCovered' as const)
  return html`<section aria-labelledby="fleet">
    <h2 id="fleet">Fleet</h2>
    ${legendHtml(counts, (state) => looks[state].words)}
    ${gridHtml([...cells, ...notCovered], {
      total: count(cells.length + counts.notCovered, noun),
      each: 'file',
      order: 'in the order in which the run came to them',
    })}
  </section> `
}

/** @param wordsOf what a square of the state means */
export const legendHtml = (counts: PageData['counts'], wordsOf: (state: CellState) => string): Html =>
  html`<ul class="legend">
    ${cellStates
      .filter((state) => counts[state] > 0)
      .map(
        (state) =>
          html`<li>${swatchHtml(state, looks[state].mark)} <b>${groupDigits(counts[state])}</b> ${wordsOf(state)}</li>`,
      )}
  </ul>`

/** Hidden from screen readers: a list or a table beside it says the same. One square alone is not drawn. */
export function gridHtml(
  all: readonly CellState[],
  { total, each: thing, order }: { readonly total: string; readonly each: string; readonly order: string },
): Html {
  const each = Math.max(1, Math.ceil(all.length / squaresMax))
  const squares = Array.from({ length: Math.ceil(all.length / each) }, (_, at) =>
    worstOf(all.slice(at * each, (at + 1) * each)),
  )
  if (squares.length < 2) return nothing
  const across = acrossOf(squares.length)
  const explained =
    each === 1
      ? `Each square is a ${thing}, ${order}.`
      : `Each square stands for ${each} ${thing}s and shows the worst of them, ${order}.`
  return html`<figure>
    ${pictureHtml(
      squares.length,
      across,
      squares.length > 400 ? 9 : 16,
      cellStates.map((state) => squaresHtml(state, looks[state].mark, positionsOf(squares, state), across)),
    )}
    <figcaption>${total}. ${explained}</figcaption>
  </figure>`
}

const worstOf = (states: readonly CellState[]): CellState =>
  cellStates.find((state) => states.includes(state)) ?? 'sound'

const positionsOf = (squares: readonly CellState[], state: CellState): readonly number[] =>
  squares.flatMap((one, at) => (one === state ? [at] : []))

/** Wide enough for a screen, and not so wide that squares vanish on a phone. */
const acrossOf = (squares: number): number => (squares > 1000 ? 96 : squares > 200 ? 48 : 24)
