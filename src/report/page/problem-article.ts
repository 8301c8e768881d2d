/** What is wrong with one file: findings, the map, the evidence, the remedy with its command, and earlier checks. */
import type { Finding } from '../../model/result/finding.ts'
import { describeWalls } from '../../model/result/reading.ts'
import type { Report, Result } from '../../model/result/report.ts'
import { count, groupDigits } from '../../text/count.ts'
import { printable } from '../../text/printable.ts'
import { humanMs } from '../../text/units.ts'
import { beforeRemedy, secondSnapshotWords } from '../describe-pinned.ts'
import { legibleCommand, legibleName, legibleSentence } from '../text/legible.ts'
import { nextCommand } from '../text/next-command.ts'
import { proofOf, remedyWords, severityWord, whereOf } from '../text/problem.ts'
import { recoveryOf } from '../text/recovery.ts'
import { verdictWord } from '../text/result-words.ts'
import { evidenceFacts } from './evidence.ts'
import { factsHtml, commandHtml, html, nameHtml, nothing, type Html } from './html.ts'
import type { HistoryLine } from './page-data.ts'
import { damageMapHtml } from './pictures/damage-map.ts'

const findingsShownMax = 10
const namedMax = 20
const listedMax = 10

export interface ArticleContext {
  readonly mode: Report['run']['mode']
  /** The configuration that commands must name; null if they find it by themselves. */
  readonly config: string | null
  readonly histories: ReadonlyMap<string, readonly HistoryLine[]>
}

/** @param group one result, or several that failed for the same reason */
export function problemHtml(group: readonly [Result, ...Result[]], at: number, context: ArticleContext): Html {
  const [first, ...others] = group
  const command = nextCommand(first, { mode: context.mode, copied: false }, context.config)
  return html`<article id="p${at}" aria-labelledby="h${at}">
    <h3 id="h${at}">
      <span class="word ${wordClass(first)}">${verdictWord(first)}</span> ${nameHtml(nameOf(first))}${
        others.length === 0 ? nothing : html` and ${count(others.length, 'more')}`
      }
    </h3>
    ${others.length > 0 ? namesHtml(others) : pathHtml(first)} ${failureHtml(first)} ${findingsHtml(first)}
    ${listHtml(
      'Suspected because',
      (first.suspicion ?? []).map(({ text }) => legibleSentence(text)),
    )}
    ${paragraph(secondSnapshotWords(first))}
    ${first.verdict === 'damaged' ? html`<p><b>Remedy:</b> ${remedyWords(first.remedy)}</p>` : nothing}
    ${paragraph(beforeRemedy(first))}
    ${
      command === null
        ? nothing
        : html`<p>Next:</p>
            ${commandHtml(legibleCommand(command))}`
    }
    ${first.map === undefined ? nothing : damageMapHtml(first.map, nameOf(first))}
    ${listHtml(
      'Possible causes',
      first.causes.map(({ hint, why }) => `${legibleSentence(why)} (${hint})`),
    )}
    ${listHtml('Recovery before the check', recoveryOf(first))}
    ${listHtml(
      'Not checked',
      first.coverage.skipped
        .slice(0, listedMax)
        .map(({ object, why }) => `${legibleName(object)}: ${legibleSentence(why)}`),
    )}
    ${proofHtml(first)} ${historyHtml(context.histories.get(first.tenant ?? '') ?? [], nameOf(first))}
  </article> `
}

const paragraph = (clause: string | null): Html =>
  clause === null ? nothing : html`<p>${clause.charAt(0).toUpperCase()}${clause.slice(1)}.</p>`

const nameOf = ({ tenant, path }: Result): string => legibleName(tenant ?? path)

const wordClass = ({ verdict }: Result): string => verdict

const pathHtml = (result: Result): Html =>
  html`<p class="path">${nameHtml(legibleName(result.path))}${damageWords(result)}</p>`

const damageWords = ({ damage, coverage }: Result): string =>
  `${damage === 'none' ? '' : `; damage of class ${damage}`}${
    coverage.pages === 0 ? '' : `; ${groupDigits(coverage.pagesRead)} of ${count(coverage.pages, 'page')} read`
  }`

const namesHtml = (others: readonly Result[]): Html =>
  html`<p>
    For the same reason:
    ${others.slice(0, namedMax).map((result, at) => html`${at === 0 ? '' : ', '}${nameHtml(nameOf(result))}`)}${
      others.length > namedMax ? ` and ${groupDigits(others.length - namedMax)} more` : ''
    }.
  </p>`

function failureHtml({ failure, reason, path, tenant }: Result): Html {
  const it = tenant === null ? 'file' : 'tenant'
  const states = {
    untouched: `The ${it} was not touched.`,
    active: `The ${it} serves again.`,
    'maybe-paused': 'THE TENANT MAY STILL BE PAUSED.',
    unknown: `The state of the ${it} was not checked since.`,
  }
  const said = failure === undefined ? '' : legibleSentence(failure.message, [path])
  const isNew = reason !== undefined && !said.includes(legibleSentence(reason, [path]))
  return html`${
    failure === undefined
      ? nothing
      : html`<p><b>${failure.code}:</b> ${said}</p>
          <p>${states[failure.tenantState]} ${legibleSentence(failure.hint, [path])}</p>`
  }${isNew ? html`<p>${legibleSentence(reason, [path])}</p>` : nothing}`
}

function findingsHtml({ findings, findingsTotal, path }: Result): Html {
  if (findings.length === 0) return nothing
  const shown = findings.slice(0, findingsShownMax)
  const more = Math.max(findingsTotal, findings.length) - shown.length
  const names = ({ object }: Finding): readonly string[] => [object.name, object.table ?? '', path]
  return html`<ul class="findings">
    ${shown.map(
      (finding) =>
        html`<li>
          ${severityWord(finding)}${legibleSentence(finding.text, names(finding))}
          <span class="rule">${finding.rule}</span><br /><span class="where">${whereOf(finding)}</span>
        </li> `,
    )}${more > 0 ? html`<li>and ${count(more, 'more finding')}; the JSON report has all of them</li>` : nothing}
  </ul>`
}

const listHtml = (title: string, sentences: readonly string[]): Html =>
  sentences.length === 0
    ? nothing
    : html`<p>${title}:</p>
        <ul>
          ${sentences.map((one) => html`<li>${one}</li>`)}
        </ul>`

function proofHtml(result: Result): Html {
  const { evidence, readBy, writtenBy, timings } = result
  const facts: readonly (readonly [string, string])[] = [
    ...evidenceFacts(evidence),
    ...(readBy === null
      ? []
      : [
          [
            'Read by',
            `SQLite ${printable(readBy.sqlite)} (${readBy.engine}), in a process that ` +
              describeWalls(readBy.confinement),
          ] as const,
        ]),
    ...(writtenBy ? [['Written last by', `SQLite ${printable(writtenBy.sqlite)}`] as const] : []),
    [
      'Times',
      `pause ${humanMs(timings.pauseMs)}, check ${humanMs(timings.checkMs)}, in all ${humanMs(timings.totalMs)}`,
    ],
  ]
  return html`<details>
    <summary>Evidence: ${proofOf(result)}</summary>
    ${factsHtml(facts)}
  </details>`
}

function historyHtml(lines: readonly HistoryLine[], name: string): Html {
  if (lines.length === 0) return nothing
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Earlier checks of ${name}">
    <table class="history">
      <caption>
        History of ${nameHtml(name)}, the newest first
      </caption>
      <thead>
        <tr>
          <th scope="col">When (UTC)</th>
          <th scope="col">What</th>
          <th scope="col" class="n">Pause</th>
          <th scope="col">Run</th>
        </tr>
      </thead>
      <tbody>
        ${lines.map(
          ({ at, run, what, isSound, pauseMs }) =>
            html`<tr>
              <th scope="row">${timeWords(at)}</th>
              <td class="${isSound ? 'good' : 'bad'}">${what}</td>
              <td class="n">${humanMs(pauseMs)}</td>
              <td class="run">${run}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
}

/** `2026-11-28 02:00:04` */
function timeWords(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(0, 19).replace('T', ' ') : '-'
}
