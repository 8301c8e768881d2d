import type { CommandGroup, Invocation } from '../../invocation.ts'

const help = `
A fleet is several hosts with one database (\`fleet:\` in the configuration). An
agent on each host does the work, and a coordinator gives it its tenants. The
commands of one host, such as check and sweep, never need the database.

Examples:
  holdfast fleet agents                    which hosts there are
  holdfast fleet sweep                     check all tenants of all hosts
  holdfast fleet status                    what is not sound, and what to do
  holdfast fleet compare acme              are its copies on all hosts the same?
  holdfast fleet pause --reason upgrade    no host pauses a tenant any more
  holdfast fleet resume                    hosts may pause tenants again
  holdfast explain fleet                   the keys of the configuration

Exit codes: as each command says; 3 if the database cannot be reached`

export function addFleetGroup(invocation: Invocation): CommandGroup {
  const group = invocation.addGroup('fleet')
  group.command
    .description('all hosts of a fleet: check them, see their state, stop their pauses')
    .addHelpText('after', help)
  // None of these commands pauses a tenant itself.
  group.command.hook('preAction', () => invocation.terminal.interrupt.announce('stopping'))
  return group
}
