/** What keeps a host from its fleet: the database cannot be reached, refuses, is full, or has the wrong version. */

import { exitCodes } from '../exit-code.ts'
import type { FailureKind } from './failure-kind.ts'

export const fleetFailures = {
  FLEET_UNREACHABLE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.inconclusive, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'the database of the fleet does not answer; agents begin nothing new and keep their results; ' +
      '`holdfast check` and `holdfast sweep` work without it',
    otherwise: null,
    means: 'The database of the fleet could not be reached, or did not answer in time.',
    cause:
      'The server is stopped, restarts or is overloaded, the network is cut, or it has no free connection. ' +
      'With pglite: no coordinator runs on this machine.',
  },
  FLEET_REFUSED: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.configuration, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'check fleet.database, fleet.passwordFile and fleet.caFile, and the rights of this user in the database',
    otherwise: null,
    means: 'The database of the fleet does not let this host in, or does not let it do this.',
    cause:
      'A wrong password, user or database, a certificate that does not prove the name of the server, ' +
      'or a role without the rights that src/fleet/README.md lists.',
  },
  FLEET_FULL: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'make space for the database of the fleet; no tenant is paused meanwhile, and agents keep their results',
    otherwise: null,
    means: 'The database of the fleet cannot write.',
    cause: 'Its disk is full, it has no memory left, or it is a standby that only reads.',
  },
  FLEET_STATEMENT_FAILED: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'read the message of the database; check that all hosts have the same version of holdfast',
    otherwise: null,
    means: 'The database of the fleet refused a statement of holdfast.',
    cause: 'Tables that another program or person has changed, or a defect of holdfast.',
  },
  FLEET_NOT_PREPARED: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.configuration, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'coordinator first: start the coordinator of this version, which makes and migrates the tables',
    otherwise: null,
    means: 'The tables of the fleet are not there, or are of an older version than this program.',
    cause: 'An agent was upgraded or started before the coordinator.',
  },
  FLEET_TOO_NEW: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.configuration, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'install the version of the coordinator on this host too',
    otherwise: null,
    means: 'The tables of the fleet are of a version that this program does not know.',
    cause: 'The coordinator was upgraded by more than one version, and this host was not.',
  },
  FLEET_IN_USE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'one process opens this folder, and the others use its socket; stop the other coordinator first',
    otherwise: null,
    means: 'Another process has the folder of the fleet database open.',
    cause: 'A second coordinator, or `agent --coordinator`, on the same machine. Two at once would lose rows.',
  },
  TRANSFER_BROKEN: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.usage, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'nothing was imported; write a new one: `holdfast fleet export FILE`',
    otherwise: null,
    means: 'The file is no whole export of a fleet, or this version cannot read it.',
    cause: 'An export that broke off, a file that was changed or cut, or an export of a newer version.',
  },
  FLEET_PACKAGE_MISSING: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.configuration, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'install it beside holdfast with the command in the message; every other command works without it',
    otherwise: null,
    means: 'A package that only the fleet needs is not installed, or has the wrong version.',
    cause: 'npm installs pg-boss, pg and PGlite only when they are asked for.',
  },
} as const satisfies Record<string, FailureKind>
