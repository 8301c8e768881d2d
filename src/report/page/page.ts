/**
 * A run as one page of HTML that needs no network and no other file. What to do comes first. Without its script the
 * page lacks the buttons that copy commands, and nothing else.
 */
import type { Result } from '../../model/result/report.ts'
import { count, groupDigits } from '../../text/count.ts'
import { groupFailures } from '../same-failure.ts'
import { withConfiguration } from '../text/hint.ts'
import { legibleName, legibleSentence } from '../text/legible.ts'
import { footHtml, headHtml } from './frame.ts'
import { healingHtml } from './heal-section.ts'
import { factsHtml, html, type Html, nameHtml, nothing } from './html.ts'
import type { PageContext, PageData } from './page-data.ts'
import { fleetHtml } from './pictures/fleet-grid.ts'
import { timesHtml } from './pictures/time-bars.ts'
import { problemHtml } from './problem-article.ts'
import { headlineOf, nowHtml, runFacts, subtitleOf } from './summary-section.ts'
import { tenantsHtml } from './tenant-table.ts'

/** The page in pieces. */
export function* renderPage(data: PageData, context: PageContext): Generator<string> {
  const { frame, problems } = data
  const { mode } = frame.run
  const { config, service } = context
  const noun = nounOf(data)
  const headline = headlineOf(data, noun)
  const groups = groupFailures(problems)
  yield headHtml(service === null ? headline : `${headline}: ${service}`).text
  yield html`<body class="${kindOf(data)}">
    <a class="skip" href="#now">Skip to what to do</a>
    <header>
      <p class="brand">holdfast</p>
      <h1>${headline}</h1>
      <p>${subtitleOf(frame, service)}</p>
    </header>
    <main>
   `.text
  yield nowHtml(data, groups, { mode, config, service }).text
  yield healingHtml(frame.healing, config).text
  yield fleetHtml(data, noun).text
  if (groups.length > 0)
    yield html`<section aria-labelledby="problems">
      <h2 id="problems">Problems</h2>
      ${leftOutHtml(data)}
     `.text
  for (const [at, group] of groups.entries())
    yield problemHtml(group, at, { mode, config, histories: context.histories }).text
  if (groups.length > 0) yield '</section>\n'
  yield timesHtml(data.pauses, data.checks).text
  const whole = service === null ? null : withConfiguration(`holdfast report ${frame.run.id} --verbose`, config)
  yield tenantsHtml(data, noun, whole).text
  yield aboutHtml(data, context, noun).text
  yield runHtml(data, service).text
  yield footHtml(frame.tool.version, `It has names of ${noun}s and keys of rows, and nothing else of rows.`).text
}

const nounOf = ({ rows }: PageData): 'tenant' | 'file' =>
  rows.some(({ tenant }) => tenant === null) ? 'file' : 'tenant'

function kindOf({ counts, frame }: PageData): string {
  if (counts.paused + counts.damaged > 0) return 'grave'
  return frame.summary.exitCode === 0 ? 'well' : 'unclear'
}

function leftOutHtml({ problems, problemsTotal }: PageData): Html {
  const more = problemsTotal - problems.length
  return more === 0
    ? nothing
    : html`<p>
        The gravest ${groupDigits(problems.length)} of ${groupDigits(problemsTotal)} are described here; the table below
        lists more.
      </p>`
}

const noticesOf = (result: Result): readonly Html[] =>
  result.findings.map(
    (finding) =>
      html`<li>
        ${nameHtml(legibleName(result.tenant ?? result.path))}: ${legibleSentence(finding.text, [finding.object.name])}
      </li> `,
  )

const runHtml = ({ frame }: PageData, service: string | null): Html =>
  html`<section aria-labelledby="run">
    <h2 id="run">This run</h2>
    ${factsHtml(runFacts(frame, service))}
  </section> `

/** Notices, holds of others, and what the run did not reach. */
function aboutHtml({ frame, notices }: PageData, { noHistory }: PageContext, noun: string): Html {
  const { notices: ofRun = [], otherHolds = [] } = frame.run
  const { notReached = [], notCovered } = frame.summary
  const named = notReached.slice(0, 100)
  const lists: readonly (readonly [string, readonly Html[]])[] = [
    ['Notices of the run', [...ofRun, ...(noHistory === null ? [] : [noHistory])].map((one) => html`<li>${one}</li> `)],
    [`Notices: the ${noun}s are still sound`, notices.flatMap(noticesOf)],
    [
      'Holds that this run could not end',
      otherHolds.map(({ said, next }) => html`<li>${legibleSentence(said)}; next: ${legibleSentence(next)}</li> `),
    ],
    [
      'Not covered, because the run ended first',
      [
        ...named.map(({ tenant, path }) => html`<li>${nameHtml(legibleName(tenant ?? path))}</li> `),
        ...(notCovered > named.length ? [html`<li>and ${count(notCovered - named.length, 'more')}</li>`] : []),
      ],
    ],
  ]
  const shown = lists.filter(([, items]) => items.length > 0)
  return shown.length === 0
    ? nothing
    : html`<section aria-labelledby="more">
        <h2 id="more">Also</h2>
        ${shown.map(
          ([title, items]) =>
            html`<h3>${title}</h3>
              <ul>
                ${items}
              </ul>`,
        )}
      </section> `
}
