/**
 * Services and timers for systemd: a sweep each night, and between the sweeps a reconcile each hour.
 * @see systemd.exec(5), systemd.service(5), systemd.timer(5)
 */
import { holdfastCommand, type InstallFile, type InstallTerms } from './install-terms.ts'
import { agentCapabilities, sandboxLines, systemdCommand, userLines } from './systemd-parts.ts'

/** A sweep that takes longer than this has hung, unless its budget is longer. */
const longestSweepMs = 12 * 3_600_000
/** After its budget a sweep still ends the checks under way, and reports. */
const afterBudgetMs = 3_600_000
/** A reconcile inspects files for a minute at most. */
const reconcileMsMax = 15 * 60_000

export function systemdUnits(terms: InstallTerms): readonly InstallFile[] {
  const name = `holdfast-${terms.service}`
  return [
    { path: `/etc/systemd/system/${name}.service`, text: serviceUnit(terms) },
    { path: `/etc/systemd/system/${name}.timer`, text: timerUnit(terms) },
    { path: `/etc/systemd/system/${name}-reconcile.service`, text: reconcileUnit(terms) },
    { path: `/etc/systemd/system/${name}-reconcile.timer`, text: reconcileTimer(terms) },
  ]
}

const serviceUnit = (terms: InstallTerms): string => `[Unit]
Description=holdfast: check all tenants of ${terms.service}
After=local-fs.target network.target

[Service]
Type=oneshot
ExecStart=${systemdCommand(holdfastCommand(terms, 'sweep'))}
# If holdfast was killed, this resumes what it left paused.
ExecStopPost=${systemdCommand(holdfastCommand(terms, 'resume', '--all', '--quiet'))}
TimeoutStartSec=${Math.ceil(Math.max(longestSweepMs, (terms.budgetMs ?? 0) + afterBudgetMs) / 1000)}
TimeoutStopSec=2min
# A signal goes to holdfast alone. It resumes the tenants, and ends its own processes.
KillMode=mixed
# The service must outlive holdfast if memory runs out.
OOMScoreAdjust=500
UMask=0077
${userLines(terms).join('\n')}
${sandboxLines(terms.folders, terms.runsCommands || terms.alarmsByCommand, agentCapabilities(terms)).join('\n')}
`

const timerUnit = ({ service }: InstallTerms): string => `[Unit]
Description=holdfast: check all tenants of ${service} each night

[Timer]
OnCalendar=*-*-* 02:00
RandomizedDelaySec=30min
# A night that the machine slept through is made up for.
Persistent=true

[Install]
WantedBy=timers.target
`

/** It pauses no tenant and takes no lock, but it reads what the sweep reads. */
const reconcileUnit = (terms: InstallTerms): string => `[Unit]
Description=holdfast: compare tenants, files, backups and ledger of ${terms.service}
After=local-fs.target network.target

[Service]
Type=oneshot
ExecStart=${systemdCommand(holdfastCommand(terms, 'reconcile'))}
TimeoutStartSec=${reconcileMsMax / 1000}
KillMode=mixed
OOMScoreAdjust=500
UMask=0077
${userLines(terms).join('\n')}
${sandboxLines(terms.folders, terms.runsCommands || terms.alarmsByCommand, agentCapabilities(terms)).join('\n')}
`

const reconcileTimer = ({ service }: InstallTerms): string => `[Unit]
Description=holdfast: compare tenants, files, backups and ledger of ${service} each hour

[Timer]
# Each good list of tenants is kept: a sweep goes on with it for registry.grace if the service later gives none.
OnCalendar=hourly
RandomizedDelaySec=10min

[Install]
WantedBy=timers.target
`
