/**
 * Lines for cron: a sweep each night and a reconcile each hour, silent if all is well, and a resume after a crash.
 * @see crontab(5)
 */
import { shellWord } from '../../text/shell-words.ts'
import { holdfastCommand, type InstallFile, type InstallTerms } from './install-terms.ts'

export function cronFiles(terms: InstallTerms): readonly InstallFile[] {
  const user = terms.user ?? 'root'
  const sweep = cronCommand(holdfastCommand(terms, 'sweep', '--quiet'))
  const reconcile = cronCommand(holdfastCommand(terms, 'reconcile', '--quiet'))
  const resume = cronCommand(holdfastCommand(terms, 'resume', '--all', '--quiet'))
  return [
    {
      path: `/etc/cron.d/holdfast-${terms.service.replaceAll('.', '-')}`,
      text: `# holdfast: check all tenants of ${terms.service} each night. It prints nothing if all is well.
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
MAILTO=${user}
17 2 * * * ${user} ${sweep}
# Each hour: tenants, files, backups and ledger must agree. Each good list of tenants is kept: a sweep goes on with it
# for registry.grace if the service later gives none.
47 * * * * ${user} ${reconcile}
# After a crash of this machine: ends holds that were left open.
@reboot ${user} ${resume}
`,
    },
  ]
}

/** cron ends the command at a `%`. A name of a file in cron.d may have no dot. */
const cronCommand = (words: readonly string[]): string =>
  words
    .map(shellWord)
    .join(' ')
    .replaceAll('%', String.raw`\%`)
