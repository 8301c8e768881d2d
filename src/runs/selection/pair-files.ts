/**
 * Which file of one side is compared with which of the other. If each side has one file, these two. Else files of the
 * same name, without folders. What could be meant in two ways is refused before any tenant is paused.
 */

import { basename } from 'node:path'
import { Failure } from '../../model/failure.ts'
import type { SidePair } from '../../model/result/comparison.ts'
import { count } from '../../text/count.ts'
import type { Target } from '../begin/target.ts'

/** The files of one side. */
export interface FileSet {
  readonly given: string
  /**
   * `one`: the file itself was named, and no other is wanted. `all`: all files of the folder or tenant that was named.
   */
  readonly wanted: 'one' | 'all'
  /** In their order; at least one. */
  readonly files: readonly Target[]
}

export type PairedFile =
  | { readonly kind: 'pair'; readonly name: string; readonly targets: SidePair<Target> }
  | { readonly kind: 'only-in-a' | 'only-in-b'; readonly name: string; readonly target: Target }

/** How many names a refusal lists. */
const namesMax = 8

/**
 * @returns in the order of A, then those that only B has; at least one pair
 * @throws {Failure} USAGE where names are not unique, or no file has its counterpart
 */
export function pairFiles({ a, b }: SidePair<FileSet>): readonly PairedFile[] {
  const [firstA, ...othersA] = a.files
  const [firstB, ...othersB] = b.files
  if (firstA && firstB && othersA.length === 0 && othersB.length === 0)
    return [{ kind: 'pair', name: nameOf(firstA), targets: { a: firstA, b: firstB } }]
  if (firstA && a.wanted === 'one')
    return [{ kind: 'pair', name: nameOf(firstA), targets: { a: firstA, b: counterpartOf(firstA, b) } }]
  if (firstB && b.wanted === 'one')
    return [{ kind: 'pair', name: nameOf(firstB), targets: { a: counterpartOf(firstB, a), b: firstB } }]
  return pairByName(filesByName(a), filesByName(b), { a, b })
}

function pairByName(inA: FilesByName, inB: FilesByName, sides: SidePair<FileSet>): readonly PairedFile[] {
  const files = [...new Set([...inA.keys(), ...inB.keys()])].flatMap((name): readonly PairedFile[] => {
    const [a, b] = [inA.get(name), inB.get(name)]
    if (a && b) return [{ kind: 'pair', name, targets: { a, b } }]
    return [
      ...(a ? [{ kind: 'only-in-a', name, target: a } as const] : []),
      ...(b ? [{ kind: 'only-in-b', name, target: b } as const] : []),
    ]
  })
  if (files.some(({ kind }) => kind === 'pair')) return files
  throw new Failure(
    'USAGE',
    `${sides.a.given} and ${sides.b.given} have no file of the same name: ` +
      `${namesIn(sides.a)} in the one, ${namesIn(sides.b)} in the other`,
    { hint: byName },
  )
}

type FilesByName = ReadonlyMap<string, Target>

function filesByName(side: FileSet): FilesByName {
  const files = new Map<string, Target>()
  for (const target of side.files) {
    const name = nameOf(target)
    if (files.has(name)) throw ambiguous(side, name)
    files.set(name, target)
  }
  return files
}

/** The file of the same name. Names of other files do not matter, because they are not compared. */
function counterpartOf(target: Target, side: FileSet): Target {
  const name = nameOf(target)
  const [counterpart, ...others] = side.files.filter((file) => nameOf(file) === name)
  if (others.length > 0) throw ambiguous(side, name)
  if (counterpart) return counterpart
  throw new Failure(
    'USAGE',
    `${side.given} has ${count(side.files.length, 'database file')}, and none is called ${name}: ${namesIn(side)}`,
    { hint: byName },
  )
}

const byName =
  'where one side has several files, they are compared with those of the ' +
  'same name: give a copy the name of what it is a copy of'

function ambiguous({ given, files }: FileSet, name: string): Failure {
  const ofTenant = files.some(({ tenant }) => tenant !== null)
  const hint = ofTenant
    ? '`holdfast pull` brings each into a folder of its own; compare the files in these one by one'
    : 'name the files themselves, and compare them one by one'
  return new Failure('USAGE', `${given} has several database files called ${name}, and files are told apart by name`, {
    hint,
  })
}

const nameOf = ({ named }: Target): string => basename(named)

function namesIn({ files }: FileSet): string {
  const names = files.slice(0, namesMax).map(nameOf)
  return `${names.join(', ')}${files.length > namesMax ? ` and ${files.length - namesMax} more` : ''}`
}
