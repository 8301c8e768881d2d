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
      'check that the server of fleet.database (pglite: a coordinator) runs, and that this host reaches it; ' +
      '`holdfast check` and `holdfast sweep` work without it',
    otherwise: null,
    means: 'The database of the fleet could not be reached, or did not answer in time.',
    cause:
      'The server is stopped, restarts or is overloaded, the network is cut, or it has no free connection. ' +
      'With pglite: no coordinator runs on this machine. Until it answers, agents pause no tenant, keep their ' +
      'results, and deliver them later.',
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
      'A wrong password, user or database, or a certificate that does not prove the name of the server. ' +
      'Or the role lacks the rights that src/fleet/SETUP.md lists.',
  },
  FLEET_FULL: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'make space for the database of the fleet, and start its server if it has ended; agents keep their results',
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
    hint: 'stop the other coordinator first: one process opens this folder, and all others use its socket',
    otherwise: null,
    means: 'Another process has the folder of the fleet database open.',
    cause:
      'A second coordinator, or `agent --coordinator`, on the same machine. ' +
      'Two processes in one folder would lose rows.',
  },
  TRANSFER_BROKEN: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.usage, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'nothing was imported; export again: `holdfast fleet export FILE`',
    otherwise: null,
    means: 'The file is not a complete export of a fleet, or this version cannot read it.',
    cause: 'The export was interrupted, the file was changed or cut, or a newer version wrote it.',
  },
  FLEET_CHUNK_FAILED: {
    tenant: 'unknown',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'check',
    hint:
      "read the log of the agent on that host (journalctl -u 'holdfast-*-agent'); " +
      'the next sweep of the fleet checks this tenant early',
    otherwise: null,
    means: 'The agent of a host could not check this tenant in any attempt, and perhaps others of the same chunk.',
    cause: 'The agent was killed or lost its job in each attempt, or it could not use its service.',
  },
  FLEET_RUN_ACTIVE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'wait until it ends: `holdfast fleet status` shows how far it is',
    otherwise: null,
    means: 'A sweep, a triage or a resend of the fleet was asked for while another of its kind is unfinished.',
    cause: 'The schedule or another person began it. If no coordinator runs, it stays unfinished until one does.',
  },
  FLEET_AGENT_ACTIVE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'one agent works with each ledger: stop the other first, or give this one its own ledger.dir and fleet.host',
    otherwise: null,
    means: 'Another agent works on this machine with the same ledger.',
    cause: 'The agent was started by hand while the unit of systemd runs, or two units name the same configuration.',
  },
  FLEET_HOST_TAKEN: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.configuration, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'give each machine a name of its own with fleet.host; a name is free 90 s after its machine was last seen',
    otherwise: null,
    means: 'Another machine works in the fleet under the name of this host.',
    cause:
      'Two configurations have the same fleet.host, two machines have the same host name, or a machine was copied ' +
      'with its disk. No tenant was checked by this agent.',
  },
  FLEET_HOST_ACTIVE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'stop the agent of that host, wait until `holdfast fleet agents` shows it as MISSED, and try again',
    otherwise: null,
    means: 'A host cannot be removed from the fleet while its agent reports, or while it has a slot.',
    cause:
      'The host still works, or its name was mistaken for another. A slot of an agent that ended is freed by a ' +
      'coordinator after fleet.expiry.',
  },
  FLEET_PACKAGE_MISSING: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.configuration, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'install it beside holdfast, in the version that the message names (src/fleet/SETUP.md lists them all); ' +
      'the commands of one host work without it',
    otherwise: null,
    means: 'A package that only the fleet needs is not installed.',
    cause: 'npm installs pg-boss, pg and PGlite only when they are asked for.',
  },
} as const satisfies Record<string, FailureKind>
