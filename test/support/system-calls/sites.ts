/** Where a program makes its calls. */
import { repository } from '../processes.ts'
import { errnosOf } from './errnos.ts'
import type { Injection, Role } from './injection.ts'
import type { Scene } from './scene.ts'
import type { TracedCall } from './trace.ts'

export interface Occurrence {
  readonly name: string
  /** The same for calls that differ only in random names, in numbers of the kernel, or in which database they use. */
  readonly site: string
  /** With the aliases of the scene. null where it changes from run to run. */
  readonly path: string | null
  /** Number in its thread among the calls of this name; with a path, among those on this path. */
  readonly when: number
  /** Number in its thread among all calls of this name. */
  readonly ofAll: number
  readonly errnos: readonly string[]
}

/** @param unnamed receives the names of calls that have no entry in the tables of errnos.ts */
export function occurrencesIn(calls: readonly TracedCall[], scene: Scene, unnamed: Set<string>): readonly Occurrence[] {
  const counts = new Map<string, number>()
  const count = (key: string): number => {
    const next = (counts.get(key) ?? 0) + 1
    counts.set(key, next)
    return next
  }
  return calls.map(({ thread, name, args }) => {
    const errnos = errnosOf(name, args)
    if (errnos === null) unnamed.add(name)
    const real = pathOf(args)
    const path = real === null ? null : alike(scene.aliased(real))
    const ofAll = count(`${thread} ${name}`)
    const ofPath = real === null ? 0 : count(`${thread} ${name} ${real}`)
    const site = siteOf(name, args, path ?? alike(scene.aliased(/^\d*<?[^,>]*>?/.exec(args)?.[0] ?? '')))
    const isSettled = path !== null && !path.includes('*') && !/[',\s]/.test(path)
    return { name, site, path: isSettled ? path : null, when: isSettled ? ofPath : ofAll, ofAll, errnos: errnos ?? [] }
  })
}

/**
 * Over all commands, each errno is tried once at each site: at the first call of the first command that has the site.
 * Other calls and other commands try one errno. A child does not know for which command it works, so its sites are
 * left out if an earlier command had them.
 * @param from number of calls that the runtime makes before our program
 * @param tried errnos by program and site of earlier commands; those of this command are added
 */
export function injectionsFor(
  command: string,
  role: Role,
  occurrences: readonly Occurrence[],
  from: number,
  tried: Map<string, ReadonlySet<string>>,
): readonly Injection[] {
  const injections = new Map<string, Injection>()
  for (const [site, all] of Map.groupBy(distinguishable(occurrences, from), siteOfProgram)) {
    const key = `${role} ${site}`
    const earlier = tried.get(key)
    if (earlier && (role !== 'main' || site.endsWith(fileOfProgram))) continue
    tried.set(key, new Set([...(earlier ?? []), ...(all[0]?.errnos ?? [])]))
    const chosen = earlier || isOneOfMany(site) ? ends(all) : endsAndMiddle(all)
    for (const [at, { name, path, when, errnos }] of chosen.entries()) {
      const untried = at === 0 ? errnos.filter((errno) => !earlier?.has(errno)) : []
      const inTurn = errnos[(at + command.length) % errnos.length] ?? ''
      for (const errno of untried.length > 0 ? untried : [inTurn]) {
        const injection = { command, role, call: name, when, errno, path }
        injections.set(JSON.stringify(injection), injection)
      }
    }
  }
  return [...injections.values()]
}

/** Without calls that strace could confuse with a call of the runtime: it counts in each thread separately. */
function distinguishable(occurrences: readonly Occurrence[], from: number): readonly Occurrence[] {
  const counted = (name: string, path: string | null, when: number): string => JSON.stringify([name, path, when])
  const before = new Set(
    occurrences
      .slice(0, from)
      .flatMap(({ name, path, when, ofAll }) => [counted(name, path, when), counted(name, null, ofAll)]),
  )
  return occurrences
    .slice(from)
    .filter(({ name, path, when, errnos }) => errnos.length > 0 && !before.has(counted(name, path, when)))
}

/** The path of a call, as strace matches it. */
function pathOf(args: string): string | null {
  const found = /^(?:\d+|AT_FDCWD)<([^>]+)>, "([^"]*)"|^\d+<([^>]+)>|^"([^"]*)"/.exec(args)
  const [, folder, name, descriptor, first] = found ?? []
  const path = name === undefined || name === '' ? (descriptor ?? folder ?? first) : name
  return path?.startsWith('/') ? path : null
}

/** Replaces random names and numbers of the kernel. */
const alike = (text: string): string =>
  text
    .replaceAll(/holdfast-[A-Za-z0-9]{6}/g, 'holdfast-*')
    .replaceAll(/sandbox-\d+-[A-Za-z0-9]{6}/g, 'sandbox-*')
    .replaceAll(/\/(?:hold|copy)-\d+/g, '/hold-*')
    .replaceAll(/[0-9A-HJKMNP-TV-Z]{26}/g, '*')
    .replaceAll(/(socket|pipe):\[\d+\]/g, '$1')
    .replaceAll(/\/proc\/\d+/g, '/proc/*')
    .replaceAll(/\/fd(info)?\/\d+/g, '/fd$1/*')
    .replaceAll(/\b\d+</g, '*<')
    .replaceAll(/0x[0-9a-f]+/g, '0x*')

/** All databases count as one, except the one with a WAL, and so do the services. */
function siteOf(name: string, args: string, subject: string): string {
  const where = subject
    .replace(/^@\w*(?:\/(?:files|live|tenants))?/, '@')
    .replace(/\/(?:plain|wrong|acme|bolt)\.db/, '/*.db')
  const flags = [...args.matchAll(/\b(?:[FO]|PR|AT|FI)_[A-Z_]+|FICLONE/g)].map(([flag]) => flag)
  return `${name} ${where} ${flags.filter((flag) => !usualFlags.has(flag)).join('|')}`
}

const usualFlags = new Set(['AT_FDCWD', 'AT_STATX_SYNC_AS_STAT', 'O_CLOEXEC', 'O_RDONLY', 'O_NONBLOCK'])

/** Loading a program is one site for each call: it does not start, whichever file is missing. */
const siteOfProgram = ({ name, path, site }: Occurrence): string =>
  path !== null && isOfProgram(path) ? name + fileOfProgram : site

const fileOfProgram = ' a file of the program'

const isOfProgram = (path: string): boolean =>
  path.startsWith(repository.slice(0, -1)) ||
  repository.startsWith(`${path}/`) ||
  /^(?:@\/traced|\/usr\/lib|\/lib|\/etc\/ld|\/usr\/share)/.test(path)

/** One of many processes, or one of many descriptors. */
const isOneOfMany = (site: string): boolean => site.includes('/proc/*') || site.includes('/fd/*')

const at = (all: readonly Occurrence[], ...places: readonly number[]): readonly Occurrence[] =>
  [...new Set(places)].flatMap((scene) => all[scene] ?? [])
const ends = (all: readonly Occurrence[]): readonly Occurrence[] => at(all, 0, all.length - 1)
const endsAndMiddle = (all: readonly Occurrence[]): readonly Occurrence[] =>
  at(all, 0, Math.floor(all.length / 2), all.length - 1)
