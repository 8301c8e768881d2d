/** What the printed files are made of. */

import { shellWord } from '../../text/shell-words.ts'

/** A file that a person puts in its place. */
export interface InstallFile {
  /** Where it belongs. */
  readonly path: string
  readonly text: string
}

/** Of the processes of a fleet. */
export interface FleetTerms {
  /** The folder that has an embedded database, its lock and its socket; null for PostgreSQL. */
  readonly folder: string | null
  /** Those of `folders` and `folder` that are not there yet. A sandbox needs them. */
  readonly missing: readonly string[]
}

export interface InstallTerms {
  /** Name of the service in the configuration. */
  readonly service: string
  /** Absolute path of the configuration. */
  readonly config: string
  /** The program and its first arguments, all with absolute paths: Node.js and holdfast. */
  readonly program: readonly string[]
  /** Who runs holdfast; null for root. */
  readonly user: string | null
  /** Folders of tenants, and those that holdfast writes. Absolute. */
  readonly folders: readonly string[]
  /** Those that holdfast writes and that are not there yet. A sandbox needs them. */
  readonly missing: readonly string[]
  /** True if a folder of tenants belongs to another user than the one who runs holdfast. */
  readonly needsLease: boolean
  /** True if a check of tenants runs commands of the configuration: a sandbox would bind them too. */
  readonly runsCommands: boolean
  /** The same for alarms. A program that sends mail needs rights of another group, which a sandbox refuses it. */
  readonly alarmsByCommand: boolean
  /** For how long a sweep may run, in ms; null without a bound. */
  readonly budgetMs: number | null
  /** Checks older than this are stale, as `status --max-age` takes it. */
  readonly maxAge: string
}

/** The command that makes a folder for the user who runs holdfast. */
export const makeFolderCommand = ({ user }: InstallTerms, folder: string): string =>
  `install -d -m 700 ${user === null ? '' : `-o ${shellWord(user)} `}${shellWord(folder)}`

/** @returns all words of a command of holdfast with this configuration */
export const holdfastCommand = ({ program, config }: InstallTerms, ...words: readonly string[]): readonly string[] => [
  ...program,
  ...words,
  '--config',
  config,
]
