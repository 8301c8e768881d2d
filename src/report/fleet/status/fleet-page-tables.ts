/** The tables on the page of a fleet: files that are not sound, and all hosts. */
import { ageOf } from '../../../model/age.ts'
import { count, groupDigits } from '../../../text/count.ts'
import { humanMs } from '../../../text/units.ts'
import { html, nameHtml, nothing, type Html } from '../../page/html.ts'
import { pageBounds } from '../../page/page-data.ts'
import { legibleName, legibleSentence } from '../../text/legible.ts'
import type { FleetJudgement } from './fleet-judgement.ts'
import { ago } from './fleet-text.ts'
import { countsOf, totalOf, type FleetView } from './fleet-view.ts'

export function filesHtml({ files, at }: FleetView, { counts }: FleetJudgement): Html {
  if (files.length === 0) return nothing
  const total = counts.damaged + counts.inconclusive + counts.failed
  return html`<section aria-labelledby="files">
    <h2 id="files">Files that are not sound</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of the files that are not sound">
      <table class="tenants">
        <caption>
          ${count(files.length, 'file')} of ${groupDigits(total)}, the gravest first
        </caption>
        <thead>
          <tr>
            <th scope="col">Tenant</th>
            <th scope="col">Host</th>
            <th scope="col">Verdict</th>
            <th scope="col">What</th>
            <th scope="col" class="n">Checked</th>
            <th scope="col" class="n">Last sound</th>
          </tr>
        </thead>
        <tbody>
          ${files.map(
            ({ tenant, host, path, verdict, damage, failure, checkedAt, soundAt }) =>
              html`<tr>
                <th scope="row">
                  ${nameHtml(legibleName(tenant))}<br /><span class="path">${nameHtml(legibleName(path))}</span>
                </th>
                <td>${nameHtml(legibleName(host))}</td>
                <td class="bad">${legibleName(verdict ?? 'never')}</td>
                <td>${legibleName(failure ?? (damage === 'none' ? '-' : damage))}</td>
                <td class="n">${checkedAt === null ? 'never' : ago(checkedAt, at)}</td>
                <td class="n">${soundAt === null ? 'never' : ago(soundAt, at)}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
  </section> `
}

export function hostsHtml({ hosts, shares, at }: FleetView, { missed }: FleetJudgement): Html {
  if (hosts.length === 0) return nothing
  const byHost = Map.groupBy(shares, ({ host }) => host)
  const listed = [...missed, ...hosts.filter((host) => !missed.includes(host))].slice(0, pageBounds.rows)
  return html`<section aria-labelledby="hosts">
    <h2 id="hosts">All hosts</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of all hosts">
      <table class="tenants">
        <caption>
          ${count(listed.length, 'host')} of ${groupDigits(hosts.length)}, those that do not report first
        </caption>
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col">Seen</th>
            <th scope="col" class="n">Files</th>
            <th scope="col" class="n">Sound</th>
            <th scope="col" class="n">Damaged</th>
            <th scope="col" class="n">Stale</th>
            <th scope="col" class="n">Not delivered</th>
          </tr>
        </thead>
        <tbody>
          ${listed.map((host) => {
            const own = byHost.get(host.name) ?? []
            const counts = countsOf({ shares: own })
            const age = ageOf(host.seenAt, at)
            return html`<tr>
              <th scope="row">
                ${nameHtml(legibleName(host.name))}${
                  host.said === null ? nothing : html`<br /><span class="where">${legibleSentence(host.said)}</span>`
                }
              </th>
              <td class="${missed.includes(host) ? 'bad' : 'good'}">
                ${age === null ? 'in the future' : `${missed.includes(host) ? 'missed ' : ''}${humanMs(age)} ago`}
              </td>
              <td class="n">${groupDigits(totalOf(counts))}</td>
              <td class="n">${groupDigits(counts.sound)}</td>
              <td class="n">${groupDigits(counts.damaged)}</td>
              <td class="n">${groupDigits(own.reduce((sum, { stale }) => sum + stale, 0))}</td>
              <td class="n">${groupDigits(host.outboxRows)}</td>
            </tr> `
          })}
        </tbody>
      </table>
    </div>
  </section> `
}
