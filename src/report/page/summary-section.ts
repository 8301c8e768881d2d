/** The top of the page: what the run found, and what to type now. */
import type { Report, Result } from '../../model/result/report.ts'
import { count, groupDigits } from '../../text/count.ts'
import { printable } from '../../text/printable.ts'
import { exitCodeWords } from '../summary.ts'
import { withConfiguration } from '../text/hint.ts'
import { legibleCommand, legibleName, legibleSentence } from '../text/legible.ts'
import { nextCommand } from '../text/next-command.ts'
import { verdictWord } from '../text/result-words.ts'
import { commandHtml, html, nameHtml, nothing, type Html } from './html.ts'
import type { PageContext, PageData } from './page-data.ts'

const namedMax = 20
const stepsMax = 10

/** What the run found, in one sentence. */
export function headlineOf(
  { counts, frame, paused }: Pick<PageData, 'counts' | 'frame' | 'paused'>,
  noun: string,
): string {
  const { selected } = frame.summary
  const those = (total: number): string =>
    total === selected
      ? `${total === 1 ? '' : 'all '}${count(total, noun)}`
      : `${groupDigits(total)} of ${count(selected, noun)}`
  const sentence = (total: number, what: string): string =>
    upperFirst(`${those(total)} ${total === 1 ? 'is' : 'are'} ${what}`)
  if (paused.length > 0) return `${count(paused.length, 'tenant')} may still be paused`
  if (counts.damaged > 0) return sentence(counts.damaged, 'damaged')
  if (frame.failure) return `The run failed: ${frame.failure.code}`
  const unknown = counts.failed + counts.inconclusive + counts.notCovered
  if (unknown > 0) return sentence(unknown, 'not known to be sound')
  return selected === 0 ? `No ${noun} was checked` : sentence(selected, 'sound')
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** @param groups the problems, as the page lists them */
export function nowHtml(
  { frame, paused, counts }: PageData,
  groups: readonly (readonly [Result, ...Result[]])[],
  { mode, config, service }: Pick<PageContext, 'config' | 'service'> & { readonly mode: Report['run']['mode'] },
): Html {
  const { summary, run, failure } = frame
  const healed = new Set((frame.healing?.results ?? []).flatMap(({ tenant, applied }) => (applied ? [tenant] : [])))
  const steps = groups.flatMap((group, at) => {
    if (healed.has(group[0].tenant)) return []
    const command = nextCommand(group[0], { mode, copied: false }, config)
    return group[0].verdict === 'damaged' && command !== null ? [{ group, at, command }] : []
  })
  return html`<section aria-labelledby="now" class="now">
    <h2 id="now">What to do now</h2>
    ${
      paused.length === 0
        ? nothing
        : html`<p class="loud">
              PAUSED:
              ${paused.slice(0, namedMax).map((name, at) => html`${at === 0 ? '' : ', '}${nameHtml(name)}`)}${
                paused.length > namedMax ? ` and ${groupDigits(paused.length - namedMax)} more` : ''
              }
              may still be paused. Run this command now.
            </p>
            ${commandHtml(legibleCommand(withConfiguration('holdfast resume --all', config)))}`
    }
    ${
      run.registry.startsWith('cached')
        ? html`<p class="loud">
            The service gave no list of tenants: this run went by a copy (${printable(run.registry)}).
          </p>`
        : nothing
    }
    ${run.stopped === undefined ? nothing : html`<p class="loud">STOPPED: ${legibleSentence(run.stopped)}</p>`}
    ${
      failure === undefined
        ? nothing
        : html`<p class="loud">${failure.code}: ${legibleSentence(failure.message)}</p>
            <p>${legibleSentence(failure.hint)}</p>`
    }
    ${
      steps.length === 0
        ? html`<p>${quietAdvice(counts, summary.exitCode, service)}</p>`
        : html`<ol>
              ${steps
                .slice(0, stepsMax)
                .map(
                  ({ group, at, command }) =>
                    html`<li>
                      <a href="#p${at}">${nameHtml(legibleName(group[0].tenant ?? group[0].path))}</a>:
                      ${verdictWord(group[0])}${group[0].damage === 'none' ? '' : ` (${group[0].damage})`}${
                        group.length > 1 ? ` and ${count(group.length - 1, 'more')}` : ''
                      }${commandHtml(legibleCommand(command))}
                    </li> `,
                )}
            </ol>
            ${steps.length > stepsMax ? html`<p>${count(steps.length - stepsMax, 'more')} below.</p>` : nothing}`
    }
    <p class="code">Exit code ${summary.exitCode}: ${exitCodeWords(summary.exitCode)}.${notDueWords(summary.notDue)}</p>
  </section> `
}

const notDueWords = (notDue = 0): string =>
  notDue === 0 ? '' : ` ${count(notDue, 'more file')} not due, because an earlier check still counts.`

function quietAdvice(
  { damaged, failed, inconclusive, notCovered, paused }: PageData['counts'],
  exitCode: number,
  service: string | null,
): string {
  if (damaged + paused > 0) return 'The problems below say what is known.'
  if (failed + inconclusive > 0)
    return 'No damage was found. The problems below say what kept files from being checked.'
  if (notCovered > 0)
    return service === null
      ? 'No damage was found. Run it again for the files that it did not reach.'
      : 'No damage was found. The next sweep begins with what this one did not reach.'
  return exitCode === 0 ? 'Nothing.' : 'No file was checked.'
}

/** `Service notes, sweep of 2026-11-28 02:00:04 UTC` */
export const subtitleOf = ({ run }: PageData['frame'], service: string | null): string =>
  `${service === null ? 'Files without a service' : `Service ${printable(service)}`}, ` +
  `${run.mode} of ${timeOf(run.startedAt)}`

/** Facts about the run itself. */
export function runFacts(
  { run, tool }: PageData['frame'],
  service: string | null,
): readonly (readonly [string, string])[] {
  return [
    ['Service', service === null ? 'none' : printable(service)],
    ['Run', `${printable(run.id)} (${run.mode})`],
    ...(run.incident == null ? [] : [['Incident', printable(run.incident)] as const]),
    ['Began', timeOf(run.startedAt)],
    ['Ended', timeOf(run.finishedAt)],
    ...(service === null ? [] : [['List of tenants', registryWords(run.registry)] as const]),
    ['holdfast', `${printable(tool.version)} with SQLite ${printable(tool.sqlite)}`],
  ]
}

const registryWords = (registry: string): string =>
  registry === 'live' ? 'asked of the service' : registry === 'none' ? 'none' : printable(registry)

const timeOf = (iso: string): string => `${printable(iso).slice(0, 19).replace('T', ' ')} UTC`
