import type { CommandGroup, Invocation } from '../../invocation.ts'

const help = `
The fleet is many hosts with one database (\`fleet:\` in the configuration). An
agent on each host does the work, and coordinators feed it. No command of one
host needs the database: check, sweep and all others work without it.

Examples:
  holdfast fleet sweep                     check all tenants of all hosts
  holdfast fleet status                    what is known of them
  holdfast fleet export fleet.jsonl        before the database is moved
  holdfast explain fleet                   the keys of the configuration

Exit codes: as each command says; 3 if the database cannot be reached`

export function addFleetGroup(invocation: Invocation): CommandGroup {
  const group = invocation.addGroup('fleet')
  group.command.description('all hosts: their database and what it knows').addHelpText('after', help)
  // None of these commands pauses a tenant itself.
  group.command.hook('preAction', () => invocation.terminal.interrupt.announce('stopping'))
  return group
}
