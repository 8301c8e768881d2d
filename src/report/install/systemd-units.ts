/**
 * A service and a timer for systemd: one sweep each night.
 * @see systemd.exec(5), systemd.service(5), systemd.timer(5)
 */
import { holdfastCommand, type InstallFile, type InstallTerms } from './install-terms.ts'

/** What holdfast as root needs to read files of other users, to lock and lease them, and to confine its children. */
const capabilitiesOfRoot = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_KILL',
  'CAP_LEASE',
  'CAP_LINUX_IMMUTABLE',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
  'CAP_SYS_NICE',
  'CAP_SYS_PTRACE',
] as const

/** A sweep without a budget that takes longer than this has hung. */
const longestSweepMs = 12 * 3_600_000
/** After its budget a sweep still ends the checks under way, and reports. */
const afterBudgetMs = 3_600_000

export function systemdUnits(terms: InstallTerms): readonly InstallFile[] {
  const name = `holdfast-${terms.service}`
  return [
    { path: `/etc/systemd/system/${name}.service`, text: serviceUnit(terms) },
    { path: `/etc/systemd/system/${name}.timer`, text: timerUnit(terms) },
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
TimeoutStartSec=${Math.ceil((terms.budgetMs === null ? longestSweepMs : terms.budgetMs + afterBudgetMs) / 1000)}
TimeoutStopSec=2min
# A signal goes to holdfast alone. It resumes the tenants, and ends its own processes.
KillMode=mixed
# The service must outlive holdfast if memory runs out.
OOMScoreAdjust=500
UMask=0077
${userLines(terms).join('\n')}
${sandboxLines(terms).join('\n')}
`

function userLines({ user, needsLease }: InstallTerms): readonly string[] {
  if (user === null) return ['# As root. Each check runs as another user in a folder of its own.']
  if (!needsLease) return [`User=${user}`]
  return [
    `User=${user}`,
    '# Files of another owner: only with this right does the kernel report who opens them.',
    'AmbientCapabilities=CAP_LEASE',
  ]
}

function sandboxLines({ user, needsLease, runsCommands, folders }: InstallTerms): readonly string[] {
  if (runsCommands)
    return ['# No sandbox: holdfast runs commands of the configuration here, and it would bind these too.']
  const capabilities = user === null ? capabilitiesOfRoot : needsLease ? ['CAP_LEASE'] : []
  return [
    `CapabilityBoundingSet=${capabilities.join(' ')}`,
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=read-only',
    ...withoutInner(folders).map((folder) => `ReadWritePaths=${systemdPath(folder)}`),
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'SystemCallArchitectures=native',
  ]
}

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

const systemdCommand = (words: readonly string[]): string => words.map(systemdWord).join(' ')

/** One word of ExecStart=: quoted where needed. `%` and `$` would be replaced. */
function systemdWord(word: string): string {
  const text = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[\w@%+=:,./$-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** One path of ReadWritePaths=: `$` stands for itself there. */
function systemdPath(path: string): string {
  const text = path.replaceAll('%', '%%')
  return /^[\w@%+=:,./$-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** A folder inside of another one needs no line of its own. */
const withoutInner = (folders: readonly string[]): readonly string[] =>
  folders.filter((folder) => !folders.some((other) => folder !== other && folder.startsWith(`${other}/`)))
