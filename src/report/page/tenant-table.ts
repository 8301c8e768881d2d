/** All tenants of the run, the gravest first, as many as a page can have. */
import { count, groupDigits } from '../../text/count.ts'
import { humanMs } from '../../text/units.ts'
import { legibleName } from '../text/legible.ts'
import { html, nameHtml, nothing, type Html } from './html.ts'
import type { PageData, TenantRow } from './page-data.ts'

/** @param command prints all of them; null if the report is not kept */
export function tenantsHtml({ rows, rowsTotal }: PageData, noun: string, command: string | null): Html {
  if (rows.length === 0) return nothing
  const more = rowsTotal - rows.length
  return html`<section aria-labelledby="tenants">
    <h2 id="tenants">All ${noun}s</h2>
    ${
      more === 0
        ? nothing
        : html`<p>
            This page lists ${count(rows.length, 'file')}, the gravest first. It leaves out ${groupDigits(more)} more,
            so that it opens quickly.${command === null ? nothing : html` <code>${command}</code> has them all.`}
          </p>`
    }
    <div class="scroll" tabindex="0" role="region" aria-label="Table of all ${noun}s">
      <table class="tenants">
        <caption>
          ${count(rows.length, 'file')} of ${groupDigits(rowsTotal)}, the gravest first
        </caption>
        <thead>
          <tr>
            <th scope="col">${noun === 'tenant' ? 'Tenant' : 'File'}</th>
            <th scope="col">Verdict</th>
            <th scope="col">Damage</th>
            <th scope="col" class="n">Pause</th>
            <th scope="col" class="n">Check</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(rowHtml)}
        </tbody>
      </table>
    </div>
  </section> `
}

const rowHtml = ({ tenant, path, word, state, damage, pauseMs, checkMs }: TenantRow): Html =>
  html`<tr>
    <th scope="row">
      ${nameHtml(legibleName(tenant ?? path))}${
        tenant === null ? nothing : html`<br /><span class="path">${nameHtml(legibleName(path))}</span>`
      }
    </th>
    <td class="${state === 'sound' ? 'good' : 'bad'}">${word}</td>
    <td>${damage === 'none' ? '-' : damage}</td>
    <td class="n">${humanMs(pauseMs)}</td>
    <td class="n">${humanMs(checkMs)}</td>
  </tr> `
