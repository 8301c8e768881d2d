/** What `sweep --heal` has changed by itself, with the command that undoes it, and what it has left to a person. */
import type { HealReport } from '../../model/result/heal-report.ts'
import { count } from '../../text/count.ts'
import { withConfiguration } from '../text/hint.ts'
import { legibleCommand, legibleName, legibleSentence } from '../text/legible.ts'
import { commandHtml, html, nameHtml, nothing, type Html } from './html.ts'

const shownMax = 50

/** @param config the configuration that commands must name; null if they find it by themselves */
export function healingHtml(healing: HealReport | undefined, config: string | null): Html {
  if (healing === undefined) return nothing
  const { results, left, leftTotal, stopped } = healing
  const changed = results.filter(({ applied }) => applied !== null)
  const leftShown = left.slice(0, shownMax)
  return html`<section aria-labelledby="healing">
    <h2 id="healing">Changed by --heal</h2>
    <p>${count(changed.length, 'file')} changed.</p>
    ${stopped === null ? nothing : html`<p class="loud">${legibleSentence(stopped)}</p>`}
    <ul>
      ${changed
        .slice(0, shownMax)
        .map(
          ({ tenant, path, plan, applied }) =>
            html`<li>
              ${nameHtml(legibleName(tenant ?? path))}: ${plan.do}, ${applied?.verdict ?? 'not checked'} afterwards.
              ${undoHtml(plan.undo, config)}
            </li> `,
        )}
    </ul>
    ${
      leftTotal === 0
        ? nothing
        : html`<p>Left to a person:</p>
            <ul>
              ${leftShown.map(
                ({ tenant, why }) => html`<li>${nameHtml(legibleName(tenant))}: ${legibleSentence(why)}</li> `,
              )}${moreHtml(leftTotal - leftShown.length)}
            </ul>`
    }
  </section> `
}

const undoHtml = (undo: string | null, config: string | null): Html =>
  undo === null ? nothing : html`To undo it:${commandHtml(legibleCommand(withConfiguration(undo, config)))}`

const moreHtml = (more: number): Html => (more > 0 ? html`<li>and ${count(more, 'more')}</li>` : nothing)
