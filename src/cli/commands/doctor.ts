import type { Command } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { examineFitness } from '../../doctor/doctor.ts'
import { musts } from '../../doctor/musts.ts'
import type { DoctorStep } from '../../doctor/steps.ts'
import { tenantId } from '../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { renderFitness } from '../../report/text/fitness.ts'
import { withConfiguration, withConfigurations } from '../../report/text/hint.ts'
import { adviceOn, describeOther } from '../../report/text/other-holds.ts'
import { jsonText } from '../../text/json-text.ts'
import { wrap } from '../../text/layout.ts'
import type { Act } from '../main.ts'
import { waitOption, withCommon, type CommonOptions } from '../options.ts'
import { waitingOf } from '../run/waiting.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface DoctorOptions extends CommonOptions {
  readonly tenant?: string
  readonly wait?: number
}

export function addDoctor(program: Command, face: Terminal, act: Act): void {
  withCommon(
    program
      .command('doctor')
      .description("is this machine fit, and does the service keep the admin API's contract, step by step"),
    'holdfast.fitness/1',
  )
    .option('--tenant <id>', 'also quiesce and resume this tenant, to test the contract wholly')
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
Examples:
  holdfast doctor                       machine and service; nobody is paused
  holdfast doctor --tenant staging      the whole contract, on a tenant
                                        that may stand still

Exit codes: 0 nothing unfit, 1 unfit, 4 a tenant may be paused, also by a hold
  of an earlier run, 64 usage, 70 bug, 75 another run is active (with --tenant),
  78 configuration, 129/130/131/143 ended by a signal

What a service must do (admin-api.yaml), and the steps that try it; those that
need a pause are tried with --tenant only. Requests of the tenant itself are
seen only if some come while it stands still.
${mustTable()}`,
    )
    .action((options: DoctorOptions) => act(() => examine(options, face)))
}

/** Two columns in a help of 80. */
const mustTable = (): string =>
  [{ must: 'MUST', steps: ['STEPS'] }, ...musts]
    .flatMap((row) => {
      const left = wrap(row.must, 34)
      const right = wrap('untried' in row ? `NOT TRIED: ${row.untried}` : row.steps.join(', '), 40)
      return Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
        `  ${(left[at] ?? '').padEnd(35)} ${right[at] ?? ''}`.trimEnd(),
      )
    })
    .join('\n')

async function examine(options: DoctorOptions, face: Terminal): Promise<ExitCode> {
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  const { steps: tried, others } = await examineFitness(
    settings,
    options.tenant === undefined ? null : tenantId(options.tenant),
    face.interrupt.signal,
    waitingOf(face, options),
  )
  const steps = tried.flatMap((step) =>
    step.about === 'ledger' ? [step, ...others.map((hold) => leftBy(hold, settings.file))] : [step],
  )
  const fitness = {
    steps: steps.map((step) => ({ ...step, next: step.next === null ? null : advised(step.next, face) })),
  }
  const outcomes = new Set(fitness.steps.map(({ outcome }) => outcome))
  const code = outcomes.has('paused')
    ? exitCodes.maybePaused
    : outcomes.has('unfit')
      ? exitCodes.failed
      : exitCodes.sound
  if (options.json) await face.out(`${jsonText({ schema: 'holdfast.fitness/1', ...fitness })}\n`)
  else if (code !== exitCodes.sound || !options.quiet) await face.print(renderFitness(fitness, face))
  return code
}

/** A hold that was made in another way: nobody but a person knows whether the tenant serves. */
const leftBy = (hold: OtherHold, config: string): DoctorStep => ({
  about: 'ledger',
  outcome: 'paused',
  said: describeOther(hold, config).said,
  next: adviceOn(hold, config),
})

/** A step's advice is a sentence, or nothing but a command. */
const advised = (next: string, { commandLine: { config } }: Terminal): string =>
  withConfigurations(withConfiguration(next, config), config)
