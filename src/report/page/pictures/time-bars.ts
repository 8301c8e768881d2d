/** Pauses and check times as bars, in a table that can be read without seeing them. */
import { count, groupDigits } from '../../../text/count.ts'
import { humanMs } from '../../../text/units.ts'
import { legibleName } from '../../text/legible.ts'
import { html, nameHtml, nothing, type Html } from '../html.ts'
import type { Times } from './times.ts'

export function timesHtml(pauses: Times, checks: Times): Html {
  if (pauses.total + checks.total === 0) return nothing
  return html`<section aria-labelledby="times">
    <h2 id="times">Pauses and checks</h2>
    <div class="columns">
      ${barsHtml('How long tenants were paused', 'Pause', pauses)}${barsHtml('How long checks took', 'Check', checks)}
    </div>
  </section> `
}

function barsHtml(caption: string, head: string, { ranges, longest, total }: Times): Html {
  if (total === 0) return nothing
  const most = Math.max(...ranges.map((range) => range.count))
  return html`<div>
    <table class="bars">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          <th scope="col">${head}</th>
          <th scope="col" class="n">Count</th>
          <th scope="col"><span class="unseen">Share</span></th>
        </tr>
      </thead>
      <tbody>
        ${ranges.map(
          ({ fromMs, upToMs, count: times }) =>
            html`<tr>
              <th scope="row">${rangeWords(fromMs, upToMs)}</th>
              <td class="n">${groupDigits(times)}</td>
              <td class="bar">
                <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                  <rect width="${Math.round((times / most) * 1000) / 10}" height="10" /></svg
                ><span class="unseen">${Math.round((times / total) * 100)} %</span>
              </td>
            </tr> `,
        )}
      </tbody>
    </table>
    <p>
      Longest of ${count(total, head.toLowerCase())}:
      ${longest.map(({ name, ms }, at) => html`${at === 0 ? '' : ', '}${nameHtml(legibleName(name))} ${humanMs(ms)}`)}.
    </p>
  </div>`
}

function rangeWords(fromMs: number, upToMs: number): string {
  if (upToMs === Infinity) return `over ${humanMs(fromMs)}`
  return fromMs === 0 ? `up to ${humanMs(upToMs)}` : `${humanMs(fromMs)} to ${humanMs(upToMs)}`
}
