/** A check for monit, and the command that it runs when tenants are damaged. @see monit(1) */
import { Failure } from '../../model/failure.ts'
import { holdfastCommand, type InstallFile, type InstallTerms } from './install-terms.ts'

/** @throws {Failure} USAGE for a path that monit cannot pass on */
export function monitFiles(terms: InstallTerms): readonly InstallFile[] {
  const name = `holdfast-${terms.service}`
  const status = monitCommand(holdfastCommand(terms, 'status', '--format', 'monit', '--max-age', terms.maxAge))
  const triage = monitCommand(holdfastCommand(terms, 'triage', '--from-monit'))
  return [
    {
      path: `/etc/monit/conf.d/${name}`,
      text: `# holdfast: the status of all tenants of ${terms.service}. It touches no tenant.
check program ${name} with path "${status}"
  timeout 20 seconds
  if status != 0 then alert
  if status = 2 then exec "${triage}"
`,
    },
  ]
}

/** monit splits at spaces, and knows no way to keep one. */
function monitCommand(words: readonly string[]): string {
  const wrong = words.find((word) => /[\s"'\\]/.test(word))
  if (wrong === undefined) return words.join(' ')
  throw new Failure('USAGE', `monit cannot pass on ${JSON.stringify(wrong)}: it splits commands at spaces and quotes`, {
    hint: 'make a link to it whose path has neither, and name the link',
  })
}
