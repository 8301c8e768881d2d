/**
 * What all units of systemd have in common: the user, the sandbox, and how words and paths are written.
 * @see systemd.exec(5), systemd.service(5)
 */
import type { InstallTerms } from './install-terms.ts'

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

export function userLines({ user, needsLease }: InstallTerms): readonly string[] {
  if (user === null) return ['# As root. Each check runs as another user in a folder of its own.']
  if (!needsLease) return [`User=${user}`]
  return [
    `User=${user}`,
    '# Files of another owner: only with this right does the kernel report who opens them.',
    'AmbientCapabilities=CAP_LEASE',
  ]
}

/** Of a unit that holds tenants. */
export const agentCapabilities = ({ user, needsLease }: InstallTerms): readonly string[] =>
  user === null ? capabilitiesOfRoot : needsLease ? ['CAP_LEASE'] : []

/** @param runsCommands true if the unit runs commands of the configuration */
export function sandboxLines(
  folders: readonly string[],
  runsCommands: boolean,
  capabilities: readonly string[],
): readonly string[] {
  if (runsCommands)
    return ['# No sandbox: holdfast runs commands of the configuration here, and it would bind these too.']
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

export const systemdCommand = (words: readonly string[]): string => words.map(systemdWord).join(' ')

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
export const withoutInner = (folders: readonly string[]): readonly string[] =>
  folders.filter((folder) => !folders.some((other) => folder !== other && folder.startsWith(`${other}/`)))
