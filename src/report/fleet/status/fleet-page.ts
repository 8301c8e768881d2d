/**
 * The status of a fleet as one page of HTML that needs no network and no other file (../../page/README.md). What to do
 * comes first.
 */
import { count, groupDigits } from '../../../text/count.ts'
import { breakable } from '../../../text/layout.ts'
import { footHtml, headHtml } from '../../page/frame.ts'
import { commandHtml, html, nameHtml, nothing, type Html } from '../../page/html.ts'
import { cellStates, type CellState } from '../../page/page-data.ts'
import { gridHtml, legendHtml } from '../../page/pictures/fleet-grid.ts'
import { legibleCommand, legibleName } from '../../text/legible.ts'
import { judgeFleet, scopeName, type FleetJudgement } from './fleet-judgement.ts'
import { fleetNextSteps } from './fleet-next.ts'
import { filesHtml, hostsHtml } from './fleet-page-tables.ts'
import { progressText } from './fleet-text.ts'
import { countsOf, totalOf, type FleetView } from './fleet-view.ts'

/** The page in pieces. */
export function* renderFleetPage(view: FleetView, version: string): Generator<string> {
  const judgement = judgeFleet(view)
  const headline = headlineOf(view, judgement)
  const kind = { OK: 'well', WARNING: 'unclear', CRITICAL: 'grave', UNKNOWN: 'unclear' }[judgement.word]
  yield headHtml(`${headline}: fleet`).text
  yield html`<body class="${kind}">
    <a class="skip" href="#now">Skip to what to do</a>
    <header>
      <p class="brand">holdfast</p>
      <h1>${headline}</h1>
      <p>${count(view.hosts.length, 'host')}, as of ${timeOf(view.at)}</p>
    </header>
    <main>
   `.text
  yield nowHtml(view, judgement).text
  yield hostGridHtml(view, judgement).text
  yield runsHtml(view).text
  yield pausesHtml(view, judgement).text
  yield filesHtml(view, judgement).text
  yield hostsHtml(view, judgement).text
  yield footHtml(version, 'It has names of hosts, tenants and files, and nothing of their rows.').text
}

/** What the fleet is, in one sentence. */
function headlineOf(view: FleetView, { counts, paused, stale, missed, reasons, code }: FleetJudgement): string {
  const total = totalOf(counts)
  if (paused.length > 0) return `${count(paused.length, 'tenant')} may still be paused`
  if (counts.damaged > 0) return `${groupDigits(counts.damaged)} of ${count(total, 'file')} damaged`
  if (missed.length > 0) return `${groupDigits(missed.length)} of ${count(view.hosts.length, 'agent')} not reporting`
  if (stale > 0) return `${groupDigits(stale)} of ${count(total, 'file')} not known to be sound`
  if (total === 0) return 'No file is known yet'
  return code === 0 ? `All ${count(total, 'file')} sound` : `No damage; ${count(reasons.length, 'thing')} to look at`
}

const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`

function nowHtml(view: FleetView, judgement: FleetJudgement): Html {
  const { reasons, code, word } = judgement
  const steps = fleetNextSteps(view, judgement)
  return html`<section aria-labelledby="now" class="now">
    <h2 id="now">What to do now</h2>
    ${
      reasons.length === 0
        ? html`<p>Nothing.</p>`
        : html`<ul>
            ${reasons.map((reason) => html`<li>${breakable(reason)}</li> `)}
          </ul>`
    }
    ${
      steps.length === 0
        ? nothing
        : html`<ol>
            ${steps.map(
              ({ host, command }) =>
                html`<li>
                  ${host === null ? html`Here:` : html`On ${nameHtml(legibleName(host))}:`}${commandHtml(
                    legibleCommand(command),
                  )}
                </li> `,
            )}
          </ol>`
    }
    <p class="code">For monitors: ${word}, exit code ${code}.</p>
  </section> `
}

const hostWords: Readonly<Record<CellState, string>> = {
  paused: 'with a tenant that may still be paused',
  damaged: 'with damage',
  failed: 'with files that could not be checked',
  inconclusive: 'with inconclusive checks',
  notCovered: 'whose agent is missed, or with files not found sound in time',
  sound: 'sound',
}

/** One square for each host, with the worst of its files. */
function hostGridHtml(view: FleetView, { missed, paused }: FleetJudgement): Html {
  const byHost = Map.groupBy(view.shares, ({ host }) => host)
  const pausedHosts = new Set(paused.map(({ host }) => host))
  const missedNames = new Set(missed.map(({ name }) => name))
  const states = view.hosts.map(({ name }): CellState => {
    const own = byHost.get(name) ?? []
    const { damaged, failed, inconclusive } = countsOf({ shares: own })
    if (pausedHosts.has(name)) return 'paused'
    if (damaged > 0) return 'damaged'
    if (failed > 0) return 'failed'
    if (inconclusive > 0) return 'inconclusive'
    return missedNames.has(name) || own.some(({ stale }) => stale > 0) ? 'notCovered' : 'sound'
  })
  const counts = Object.fromEntries(
    cellStates.map((state) => [state, states.filter((one) => one === state).length]),
  ) as Record<CellState, number>
  return html`<section aria-labelledby="fleet">
    <h2 id="fleet">Hosts</h2>
    ${legendHtml(counts, (state) => hostWords[state])}
    ${gridHtml(states, { total: count(states.length, 'host'), each: 'host', order: 'in the order of their names' })}
  </section> `
}

const runsShown = 10

function runsHtml({ runs, at }: FleetView): Html {
  if (runs.length === 0) return nothing
  return html`<section aria-labelledby="runs">
    <h2 id="runs">Runs</h2>
    <ul>
      ${runs.slice(0, runsShown).map((run) => html`<li>${progressText(run, at)}</li> `)}
    </ul>
  </section> `
}

function pausesHtml({ slots, breakers }: FleetView, { stuck }: FleetJudgement): Html {
  if (slots.length === 0) return nothing
  return html`<section aria-labelledby="pauses">
    <h2 id="pauses">Pauses</h2>
    <ul>
      ${[...Map.groupBy(slots, ({ scope }) => scope)].map(([scope, all]) => {
        const taken = all.filter(({ holder }) => holder !== null).length
        const stays = all.filter((slot) => stuck.includes(slot)).length
        const isOpen = breakers.some((breaker) => breaker.scope === scope)
        return html`<li>
          ${scopeName(scope)}: ${taken} of ${count(all.length, 'slot')}
          taken${stays === 0 ? '' : `, ${stays} not given back`}${isOpen ? ', and nothing may be paused' : ''}
        </li> `
      })}
    </ul>
  </section> `
}
