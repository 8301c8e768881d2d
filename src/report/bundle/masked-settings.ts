/**
 * The configuration for people who may not know its secrets. What is not known to be harmless is not shown: a setting
 * that is added later is masked until it is listed here.
 */

const masked = '(not shown)'

/** Keys whose texts are paths, names or words. */
const shown: ReadonlySet<string> = new Set([
  'accept',
  'caFile',
  'dir',
  'file',
  'kind',
  'limit',
  'name',
  'objects',
  'on',
  'order',
  'rehearse',
  'require',
  'roots',
  'socket',
  'statusTenant',
  'tokenFile',
  'trustMounts',
  'workers',
])

/** Keys whose lists are commands. Arguments may be secrets; the program is not one. */
const commands: ReadonlySet<string> = new Set(['tenants', 'quiesce', 'resume', 'fetch', 'command'])

/** @param key of the value in the section around it */
export function maskedSettings(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return maskedText(value, key)
  if (Array.isArray(value))
    return value.map((one: unknown, at) =>
      commands.has(key) && typeof one === 'string' ? maskedWord(one, at) : maskedSettings(one, key),
    )
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, maskedSettings(one, name)]))
  return value
}

function maskedText(text: string, key: string): string {
  if (/^[a-z]+:\/\//i.test(text)) return maskedUrl(text)
  return shown.has(key) ? text : masked
}

const maskedWord = (word: string, at: number): string => (at === 0 || /^\{\w+\}$/.test(word) ? word : masked)

/** The address of a webhook is a secret by itself, so only its host is shown. */
function maskedUrl(text: string): string {
  if (!URL.canParse(text)) return masked
  const { protocol, host, pathname, search } = new URL(text)
  return `${protocol}//${host}${pathname === '/' && search === '' ? '' : `/${masked}`}`
}
