import type { FleetSettings } from '../../../config/fleet/fleet-settings.ts'
import { findConfiguration, loadSettings } from '../../../config/load.ts'
import { examineFitness } from '../../../doctor/doctor.ts'
import { musts } from '../../../doctor/musts.ts'
import type { DoctorStep } from '../../../doctor/steps.ts'
import { tenantId } from '../../../model/brand.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import type { OtherHold } from '../../../model/service-way.ts'
import { renderFitness } from '../../../report/text/fitness.ts'
import { withConfiguration, withConfigurations } from '../../../report/text/hint.ts'
import { adviceOn, describeOther } from '../../../report/text/other-holds.ts'
import { jsonText } from '../../../text/json-text.ts'
import { wrap } from '../../../text/layout.ts'
import type { Invocation } from '../../invocation.ts'
import { waitOption, withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import { runWaitOf } from '../../run/wait-option.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface DoctorOptions extends CommonOptions {
  readonly tenant?: string
  readonly wait?: number
}

export function addDoctor(invocation: Invocation): void {
  withCommon(
    invocation
      .add('doctor', textOrDocument)
      .description("test whether this machine is fit, and whether the service keeps the admin API's contract"),
    'holdfast.fitness/1',
  )
    .option('--tenant <id>', 'also quiesce and resume this tenant, to test the whole contract')
    .addOption(waitOption())
    .addHelpText(
      'after',
      `
Examples:
  holdfast doctor                       machine and service; pauses no tenant
  holdfast doctor --tenant staging      the whole contract, on a tenant
                                        that may be paused

Exit codes: 0 no step is unfit, 1 a step is unfit, 4 a tenant may be paused
  (also by an earlier run), 64 usage, 70 bug, 75 another run is active (with
  --tenant), 78 configuration, 129/130/131/143 ended by a signal

What a service must do (admin-api.yaml), and the steps that test it. Steps that
need a pause run with --tenant only. The doctor sees requests for the tenant
itself only if some arrive during the pause.
${mustTable()}`,
    )
    .action((options: DoctorOptions) => invocation.perform(() => examine(options, invocation.terminal)))
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

async function examine(options: DoctorOptions, terminal: Terminal): Promise<ExitCode> {
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  const { steps: tried, others } = await examineFitness(
    settings,
    options.tenant === undefined ? null : tenantId(options.tenant),
    terminal.interrupt.signal,
    runWaitOf(terminal, options),
  )
  const steps = [
    ...tried.flatMap((step) =>
      step.about === 'ledger' ? [step, ...others.map((hold) => openHoldStep(hold, settings.file))] : [step],
    ),
    ...(settings.fleet === null ? [] : [await databaseStep(settings.fleet)]),
  ]
  const fitness = {
    steps: steps.map((step) => ({ ...step, next: step.next === null ? null : adviceFor(step.next, terminal) })),
  }
  const code = exitCodeOfSteps(steps)
  if (options.json) await terminal.out(`${jsonText({ schema: 'holdfast.fitness/1', ...fitness })}\n`)
  else if (code !== exitCodes.sound || !options.quiet) await terminal.print(renderFitness(fitness, terminal))
  return code
}

/** Loaded only on a host of a fleet. */
async function databaseStep(fleet: FleetSettings): Promise<DoctorStep> {
  const { examineDatabase } = await import('../../../fleet/database/examine-database.ts')
  return examineDatabase(fleet)
}

function exitCodeOfSteps(steps: readonly DoctorStep[]): ExitCode {
  const outcomes = new Set(steps.map(({ outcome }) => outcome))
  if (outcomes.has('paused')) return exitCodes.maybePaused
  return outcomes.has('unfit') ? exitCodes.failed : exitCodes.sound
}

/** A hold that another service or another configuration made: holdfast cannot know whether the tenant serves. */
const openHoldStep = (hold: OtherHold, config: string): DoctorStep => ({
  about: 'ledger',
  outcome: 'paused',
  said: describeOther(hold, config).said,
  next: adviceOn(hold, config),
})

/** @param next a sentence, or nothing but a command */
const adviceFor = (next: string, { commandLine: { config } }: Terminal): string =>
  withConfigurations(withConfiguration(next, config), config)
