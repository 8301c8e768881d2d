/**
 * The units of a fleet: an agent on each host, and a coordinator on one or more.
 * @see systemd.service(5)
 */
import {
  holdfastCommand,
  makeFolderCommand,
  type FleetTerms,
  type InstallFile,
  type InstallTerms,
} from './install-terms.ts'
import { agentCapabilities, sandboxLines, systemdCommand, userLines } from './systemd-parts.ts'

/** `both`: one process that is agent and coordinator. */
export type FleetProcess = 'agent' | 'coordinator' | 'both'

export const fleetUnit = (what: FleetProcess, terms: InstallTerms, fleet: FleetTerms): InstallFile => ({
  path: `/etc/systemd/system/${unitName(what, terms)}`,
  text: unitText(what, terms, fleet),
})

/** What a person does when the unit is in its place. */
export function afterFleetInstall(what: FleetProcess, terms: InstallTerms, fleet: FleetTerms): readonly string[] {
  return [
    ...foldersOf(what, terms, fleet)
      .filter((folder) => fleet.missing.includes(folder))
      .map((folder) => makeFolderCommand(terms, folder)),
    'systemctl daemon-reload',
    `systemctl enable --now ${unitName(what, terms)}`,
  ]
}

const unitName = (what: FleetProcess, { service }: InstallTerms): string =>
  `holdfast-${service}-${what === 'coordinator' ? 'coordinator' : 'agent'}.service`

const unitText = (what: FleetProcess, terms: InstallTerms, fleet: FleetTerms): string => `[Unit]
Description=holdfast: ${descriptions[what]} of ${terms.service}
After=local-fs.target network.target

[Service]
Type=exec
ExecStart=${systemdCommand(holdfastCommand(terms, ...commands[what]))}
${endLines(what, terms).join('\n')}
Restart=always
RestartSec=10
# Usage, or a configuration that a person must correct: another start would meet the same.
RestartPreventExitStatus=64 78
# Ended by a signal, after all tenants were resumed.
SuccessExitStatus=129 130 143
UMask=0077
${userLines(terms).join('\n')}
${sandboxOf(what, terms, fleet).join('\n')}

[Install]
WantedBy=multi-user.target
`

const descriptions: Readonly<Record<FleetProcess, string>> = {
  agent: 'agent of the fleet for all tenants',
  coordinator: 'coordinator of the fleet',
  both: 'agent and coordinator of the fleet for all tenants',
}

const commands: Readonly<Record<FleetProcess, readonly string[]>> = {
  agent: ['agent'],
  coordinator: ['coordinator'],
  both: ['agent', '--coordinator'],
}

function endLines(what: FleetProcess, terms: InstallTerms): readonly string[] {
  if (what === 'coordinator') return ['TimeoutStopSec=30']
  return [
    '# If the agent was killed, this resumes what it left paused.',
    `ExecStopPost=${systemdCommand(holdfastCommand(terms, 'resume', '--all', '--quiet'))}`,
    'TimeoutStopSec=2min',
    '# A signal goes to the agent alone. It resumes the tenants, and ends its own processes.',
    'KillMode=mixed',
    '# The service must outlive holdfast if memory runs out.',
    'OOMScoreAdjust=500',
  ]
}

/** A coordinator touches no tenant: it needs no rights, and writes only its own database. */
function sandboxOf(what: FleetProcess, terms: InstallTerms, fleet: FleetTerms): readonly string[] {
  const folders = foldersOf(what, terms, fleet)
  if (what === 'coordinator') return sandboxLines(folders, terms.alarmsByCommand, [])
  const runsCommands = terms.runsCommands || (what === 'both' && terms.alarmsByCommand)
  return sandboxLines(folders, runsCommands, agentCapabilities(terms))
}

const foldersOf = (what: FleetProcess, { folders }: InstallTerms, { folder }: FleetTerms): readonly string[] => [
  ...(what === 'coordinator' ? [] : folders.filter((one) => one !== folder)),
  ...(what === 'agent' || folder === null ? [] : [folder]),
]
