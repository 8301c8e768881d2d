/** The files that `install` prints, and how it prints several of them. */
import { cronFiles } from './cron-lines.ts'
import type { InstallFile, InstallTerms } from './install-terms.ts'
import { monitFiles } from './monit-checks.ts'
import { systemdUnits } from './systemd-units.ts'

export const installPrograms = ['systemd', 'monit', 'cron'] as const
export type InstallProgram = (typeof installPrograms)[number]

const makers = { systemd: systemdUnits, monit: monitFiles, cron: cronFiles }

/** @throws {Failure} USAGE if the program cannot run these commands */
export const installFiles = (program: InstallProgram, terms: InstallTerms): readonly InstallFile[] =>
  makers[program](terms)

/** What a person does when the files are in their place. */
export function afterInstall(program: InstallProgram, { service }: InstallTerms): readonly string[] {
  switch (program) {
    case 'systemd':
      return ['systemctl daemon-reload', `systemctl enable --now holdfast-${service}.timer`]
    case 'monit':
      return ['monit -t', 'monit reload']
    case 'cron':
      return []
  }
}

/** All files one after the other, each below a comment with its path. */
export const renderInstall = (files: readonly InstallFile[]): string =>
  files.map(({ path, text }) => `# ${path}\n${text}`).join('\n')
