/** Where a program makes a call: what plans are made of. */
import { repository } from '../../support/processes.ts'
import { errnosOf } from './errnos.ts'
import type { Injection, Role } from './injection.ts'
import type { Place } from './place.ts'
import type { Call } from './trace.ts'

export interface Occurrence {
  readonly name: string
  /** Alike for calls that differ in what is drawn at random, numbered by the kernel, or another file of its kind. */
  readonly site: string
  /** With the aliases of the place. null where it changes from run to run. */
  readonly path: string | null
  /** Counted in its thread, of all calls of this name, or of those on this path. */
  readonly when: number
  /** Of all calls of this name. */
  readonly ofAll: number
  readonly errnos: readonly string[]
}

/** Calls of one process as occurrences. @param unnamed gets the names of calls that no table of errnos names */
export function occurrencesIn(calls: readonly Call[], place: Place, unnamed: Set<string>): readonly Occurrence[] {
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
    const path = real === null ? null : alike(place.aliased(real))
    const ofAll = count(`${thread} ${name}`)
    const ofPath = real === null ? 0 : count(`${thread} ${name} ${real}`)
    const site = siteOf(name, args, path ?? alike(place.aliased(/^\d*<?[^,>]*>?/.exec(args)?.[0] ?? '')))
    const isSettled = path !== null && !path.includes('*') && !/[',\s]/.test(path)
    return { name, site, path: isSettled ? path : null, when: isSettled ? ofPath : ofAll, ofAll, errnos: errnos ?? [] }
  })
}

/**
 * Every errno at each site once, over all commands: at its first call in the first command that makes it. At other
 * calls, and in other commands, one errno or another. A child does not know for which command it works: of its calls,
 * those at sites that an earlier command had are left out.
 * @param from how many calls were made before the first that is ours to answer for
 * @param tried errnos by program and site, of commands before this one; those of this one are added
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

/** strace counts in each thread by itself: the nth of a later thread may be the nth of one that began before ours. */
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

/** The path that a call is about, as strace would match it. */
function pathOf(args: string): string | null {
  const found = /^(?:\d+|AT_FDCWD)<([^>]+)>, "([^"]*)"|^\d+<([^>]+)>|^"([^"]*)"/.exec(args)
  const [, folder, name, descriptor, first] = found ?? []
  const path = name === undefined || name === '' ? (descriptor ?? folder ?? first) : name
  return path?.startsWith('/') ? path : null
}

/** Without what is drawn at random, and without numbers of the kernel. */
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

/** Databases are alike, but for the one that has a WAL; so are the services that own them. */
function siteOf(name: string, args: string, subject: string): string {
  const where = subject
    .replace(/^@\w*(?:\/(?:files|live|tenants))?/, '@')
    .replace(/\/(?:plain|wrong|acme|bolt)\.db/, '/*.db')
  const flags = [...args.matchAll(/\b(?:[FO]|PR|AT|FI)_[A-Z_]+|FICLONE/g)].map(([flag]) => flag)
  return `${name} ${where} ${flags.filter((flag) => !usualFlags.has(flag)).join('|')}`
}

const usualFlags = new Set(['AT_FDCWD', 'AT_STATX_SYNC_AS_STAT', 'O_CLOEXEC', 'O_RDONLY', 'O_NONBLOCK'])

/** Loading a program is one site for each call: whichever of its files is missing, it does not begin. */
const siteOfProgram = ({ name, path, site }: Occurrence): string =>
  path !== null && isOfProgram(path) ? name + fileOfProgram : site

const fileOfProgram = ' a file of the program'

const isOfProgram = (path: string): boolean =>
  path.startsWith(repository.slice(0, -1)) ||
  repository.startsWith(`${path}/`) ||
  /^(?:@\/traced|\/usr\/lib|\/lib|\/etc\/ld|\/usr\/share)/.test(path)

/** A process, or one of its descriptors, of all that are there. */
const isOneOfMany = (site: string): boolean => site.includes('/proc/*') || site.includes('/fd/*')

const at = (all: readonly Occurrence[], ...places: readonly number[]): readonly Occurrence[] =>
  [...new Set(places)].flatMap((place) => all[place] ?? [])
const ends = (all: readonly Occurrence[]): readonly Occurrence[] => at(all, 0, all.length - 1)
const endsAndMiddle = (all: readonly Occurrence[]): readonly Occurrence[] =>
  at(all, 0, Math.floor(all.length / 2), all.length - 1)
