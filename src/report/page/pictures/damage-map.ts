/** The map of a damaged file: which object owns its pages, and where the damage is. */
import type { BadPageRange, DrawnMap, PageMap, PageState } from '../../../model/result/page-map.ts'
import { count, groupDigits } from '../../../text/count.ts'
import { humanBytes } from '../../../text/units.ts'
import { legibleObject, legibleSentence } from '../../text/legible.ts'
import { pageStateWords } from '../../text/page-map.ts'
import { html, nameHtml, type Html } from '../html.ts'
import { cornerOf, pictureHtml, squaresHtml, swatchHtml, type Mark } from './squares.ts'

/** Objects with a colour of their own; the style has as many. */
const coloursMax = 6
const placesShownMax = 20

const marks: Readonly<Record<Exclude<PageState, 'owned'>, Mark>> = {
  damaged: 'cross',
  disagreeing: 'slash',
  unread: 'bar',
  unowned: 'dot',
  free: 'none',
  reserved: 'none',
  behind: 'none',
}

/** @param name of the tenant or the file, which distinguishes this map from others */
export function damageMapHtml(map: PageMap, name: string): Html {
  if (map.kind === 'none') return html`<p>No map: ${legibleSentence(map.why)}.</p>`
  const kinds = kindsOf(map)
  const cells = cellsOf(map, kinds)
  const across = cells.length > 512 ? 64 : 32
  const states = ['free', 'reserved', 'behind', 'unowned', 'unread', 'disagreeing', 'damaged'] as const
  const owned = [...new Set([...kinds.values(), 'other'])]
  return html`<figure class="map">
      ${pictureHtml(cells.length, across, across === 64 ? 10 : 14, [
        ...owned.map((kind) => squaresHtml(kind, 'none', positionsOf(cells, kind), across)),
        ...states.map((state) => squaresHtml(state, marks[state], positionsOf(cells, state), across)),
        ...tipsOf(map, across),
      ])}
      <figcaption>
        ${count(map.pages, 'page')} of ${map.pageSize} bytes, in the order of the file.
        ${
          map.pagesPerCell === 1
            ? 'A square is a page.'
            : `A square is ${count(map.pagesPerCell, 'page')}: it shows the worst of them, otherwise the most common.`
        }
      </figcaption>
    </figure>
    ${legendHtml(map, kinds, name)} ${placesHtml(map)}`
}

/** The class of each owner, by position: first those with damage, then the largest. */
function kindsOf({ owners }: DrawnMap): ReadonlyMap<number, string> {
  const chosen = owners
    .map(({ damagedPages }, position) => ({ position, isDamaged: damagedPages > 0 }))
    .toSorted((a, b) => Number(b.isDamaged) - Number(a.isDamaged))
    .slice(0, coloursMax)
    .toSorted((a, b) => a.position - b.position)
  return new Map(chosen.map(({ position }, colour) => [position, `owner${colour}`]))
}

function cellsOf({ cells, pagesPerCell }: DrawnMap, kinds: ReadonlyMap<number, string>): readonly string[] {
  return cells.flatMap(({ first, last, state, owner }) => {
    const kind = state === 'owned' ? ((owner === null ? undefined : kinds.get(owner)) ?? 'other') : state
    return Array.from({ length: Math.ceil((last - first + 1) / pagesPerCell) }, () => kind)
  })
}

const positionsOf = (cells: readonly string[], kind: string): readonly number[] =>
  cells.flatMap((one, at) => (one === kind ? [at] : []))

/** What a pointer over a damaged square shows. */
const tipsOf = ({ places, pagesPerCell }: DrawnMap, across: number): readonly Html[] =>
  places.slice(0, 200).map((place) => {
    const { x, y } = cornerOf(Math.floor((place.first - 1) / pagesPerCell), across)
    return html`<rect class="tip" x="${x}" y="${y}" width="10" height="10"><title>${placeWords(place)}</title></rect>`
  })

function legendHtml(map: DrawnMap, kinds: ReadonlyMap<number, string>, name: string): Html {
  const row = (swatch: Html, name: string, pages: number, damaged: number | null): Html =>
    html`<tr>
      <td>${swatch}</td>
      <th scope="row">${nameHtml(name)}</th>
      <td class="n">${groupDigits(pages)}</td>
      <td class="n">${((pages / Math.max(1, map.pages)) * 100).toFixed(1)} %</td>
      <td class="n">${humanBytes(pages * map.pageSize)}</td>
      <td class="n">${damaged === null || damaged === 0 ? '-' : groupDigits(damaged)}</td>
    </tr> `
  const named = map.owners.flatMap((owner, position) => {
    const kind = kinds.get(position)
    return kind === undefined ? [] : [{ kind, owner }]
  })
  const others = map.owners.length - named.length + map.ownersMore
  const otherPages = map.counts.owned - named.reduce((sum, { owner }) => sum + owner.pages, 0)
  const states = ['free', 'reserved', 'behind', 'unowned', 'unread', 'disagreeing', 'damaged'] as const
  return html`<div class="scroll" tabindex="0" role="region" aria-label="What owns the pages of ${name}">
    <table>
      <caption>
        What owns the pages
      </caption>
      <thead>
        <tr>
          <th scope="col"><span class="unseen">Square</span></th>
          <th scope="col">Object</th>
          <th scope="col" class="n">Pages</th>
          <th scope="col" class="n">Share</th>
          <th scope="col" class="n">Bytes</th>
          <th scope="col" class="n">Damaged</th>
        </tr>
      </thead>
      <tbody>
        ${[
          ...named.map(({ kind, owner }) =>
            row(swatchHtml(kind, 'none'), legibleObject(owner.object), owner.pages, owner.damagedPages),
          ),
          ...(others > 0 ? [row(swatchHtml('other', 'none'), count(others, 'more object'), otherPages, null)] : []),
          ...states
            .filter((state) => map.counts[state] > 0)
            .map((state) => row(swatchHtml(state, marks[state]), pageStateWords[state], map.counts[state], null)),
        ]}
      </tbody>
    </table>
  </div>`
}

function placesHtml({ places, placesMore }: DrawnMap): Html {
  if (places.length + placesMore === 0) return html`<p>The damage is on no page of its own: the findings name it.</p>`
  const shown = places.slice(0, placesShownMax)
  const more = places.slice(placesShownMax).reduce((sum, { first, last }) => sum + last - first + 1, placesMore)
  return html`<p>Where:</p>
    <ul>
      ${shown.map((place) => html`<li>${placeWords(place)}</li>`)}${
        more > 0 ? html`<li>and ${count(more, 'more page')}</li>` : html``
      }
    </ul>`
}

function placeWords({ first, last, rule, object }: BadPageRange): string {
  const pages = first === last ? `page ${first}` : `pages ${first} to ${last}`
  const owner = object === null || object.kind === 'file' ? '' : `, ${legibleObject(object)}`
  return `${pages}: ${rule ?? 'not read: the system refused'}${owner}`
}
