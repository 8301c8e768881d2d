/** The files that `install` prints, and how it prints several of them. */
import { cronFiles } from './cron-lines.ts'
import { makeFolderCommand, type FleetTerms, type InstallFile, type InstallTerms } from './install-terms.ts'
import { monitFiles } from './monit-checks.ts'
import { afterFleetInstall, fleetUnit, type FleetProcess } from './systemd-fleet.ts'
import { withoutInner } from './systemd-parts.ts'
import { systemdUnits } from './systemd-units.ts'

export const installPrograms = ['systemd', 'monit', 'cron'] as const
export type InstallProgram = (typeof installPrograms)[number]

/** A process of a fleet that systemd runs, and what it runs with. */
export interface FleetInstall {
  readonly process: FleetProcess
  readonly terms: FleetTerms
}

const makers = { systemd: systemdUnits, monit: monitFiles, cron: cronFiles }

/**
 * @param fleet null: a sweep each night
 * @throws {Failure} USAGE if the program cannot run these commands
 */
export const installFiles = (
  program: InstallProgram,
  terms: InstallTerms,
  fleet: FleetInstall | null,
): readonly InstallFile[] => (fleet === null ? makers[program](terms) : [fleetUnit(fleet.process, terms, fleet.terms)])

/** What a person does when the files are in their place. */
export function afterInstall(
  program: InstallProgram,
  terms: InstallTerms,
  fleet: FleetInstall | null,
): readonly string[] {
  if (fleet !== null) return afterFleetInstall(fleet.process, terms, fleet.terms)
  switch (program) {
    case 'systemd':
      return [
        ...foldersToMake(terms).map((folder) => makeFolderCommand(terms, folder)),
        'systemctl daemon-reload',
        `systemctl enable --now ${timersOf(terms).join(' ')}`,
      ]
    case 'monit':
      return ['monit -t', 'monit reload']
    case 'cron':
      return []
  }
}

/** A unit with a sandbox does not start while a folder that it may write is missing. Without one holdfast makes it. */
const foldersToMake = ({ folders, missing, runsCommands, alarmsByCommand }: InstallTerms): readonly string[] =>
  runsCommands || alarmsByCommand ? [] : withoutInner(folders).filter((folder) => missing.includes(folder))

const timersOf = ({ service }: InstallTerms): readonly string[] => [
  `holdfast-${service}.timer`,
  `holdfast-${service}-reconcile.timer`,
]

/** All files one after the other, each below a comment with its path. */
export const renderInstall = (files: readonly InstallFile[]): string =>
  files.map(({ path, text }) => `# ${path}\n${text}`).join('\n')
