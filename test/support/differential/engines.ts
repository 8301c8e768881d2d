/** Reads one file with both engines, and compares their results. */
import { copyFileSync } from 'node:fs'
import type { DiagnosisContext } from '../../../src/diagnosis/context.ts'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import { damageClasses } from '../../../src/model/result/finding.ts'
import type { Engine, Reading } from '../../../src/model/result/reading.ts'
import type { Diagnosis, Limit } from '../../../src/model/result/verdict.ts'
import { removeDatabase } from '../databases/create-database.ts'
import { rebuildIndexes } from '../databases/rebuild-indexes.ts'
import { readInProcess } from '../read-in-process.ts'

export const bareFileContext: DiagnosisContext = {
  tenant: null,
  path: 'file.db',
  serviceSqlite: null,
  fileSystem: null,
  links: 1,
  verifiedBackup: false,
  accept: [],
}

/** Of a configuration that accepts these limits everywhere. */
export const acceptingContext = (...limits: readonly Limit[]): DiagnosisContext => ({
  ...bareFileContext,
  accept: limits.map((limit) => ({ limit, tenants: null, objects: null })),
})

export interface EngineResult {
  readonly reading: Reading
  readonly diagnosis: Diagnosis
}

/** Each engine gets a copy of its own: SQLite may write into what it reads. */
export async function readWithBoth(path: string): Promise<Readonly<Record<Engine, EngineResult>>> {
  const conclude = async (engine: Engine): Promise<EngineResult> => {
    const copy = `${path}.${engine}`
    for (const part of ['', '-wal', '-journal']) copyIfThere(path + part, copy + part)
    try {
      const reading = await readInProcess(copy, 'full', engine)
      return { reading, diagnosis: diagnose(reading, bareFileContext) }
    } finally {
      removeDatabase(copy)
    }
  }
  return { census: await conclude('census'), sqlite: await conclude('sqlite') }
}

function copyIfThere(from: string, to: string): void {
  try {
    copyFileSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

const verdicts = ['sound', 'inconclusive', 'damaged'] as const

/** The result of the census, compared with the referee's. */
export type Judgement =
  | { readonly kind: 'same' }
  /** The census has a worse verdict, or worse damage. */
  | { readonly kind: 'more' }
  /**
   * The referee blames the table, the census only indexes. When the broken ones among them are rebuilt, the referee
   * blames no table any more.
   */
  | { readonly kind: 'indexes-proven'; readonly referee: string }
  | { readonly kind: 'weaker'; readonly why: string }

/** Compares what both engines found in the file at `path`. The census must not be weaker on any file. */
export async function judge(
  path: string,
  { census, sqlite }: Readonly<Record<Engine, EngineResult>>,
): Promise<Judgement> {
  const [ours, theirs] = [census.diagnosis, sqlite.diagnosis]
  const byVerdict = verdicts.indexOf(ours.verdict.kind) - verdicts.indexOf(theirs.verdict.kind)
  const byDamage = damageClasses.indexOf(ours.damage) - damageClasses.indexOf(theirs.damage)
  if (byVerdict < 0) return { kind: 'weaker', why: `${ours.verdict.kind} instead of ${theirs.verdict.kind}` }
  const missed = tablesOf(theirs).filter((table) => !tablesOf(ours).includes(table))
  if (missed.length > 0)
    return {
      kind: 'weaker',
      why:
        `not a word of ${missed.join(', ')}: ` +
        (theirs.findings.find(({ object }) => object.table === missed[0] || object.name === missed[0])?.text ?? ''),
    }
  if (byVerdict > 0 || byDamage > 0) return { kind: 'more' }
  return byDamage === 0 ? { kind: 'same' } : proveIndexes(path, ours, theirs)
}

/** Tables with damage in themselves or in their indexes. */
const tablesOf = ({ findings }: Diagnosis): readonly string[] =>
  findings.flatMap(({ object, severity }) =>
    severity === 'damage' ? (object.kind === 'schema' ? object.name : (object.table ?? [])) : [],
  )

/**
 * SQLite may blame a table for its indexes. It calls an entry in the wrong place a key that the table holds twice; it
 * breaks off over a broken index and names its table; or two indexes differ from the table, and it does not know
 * whether they differ in the same row. The census knows the keys. So only two kinds of indexes are rebuilt: those that
 * are broken themselves, and those that agree with no other index. If sound indexes contradict the table together, it
 * stays suspect.
 */
async function proveIndexes(path: string, ours: Diagnosis, theirs: Diagnosis): Promise<Judgement> {
  const said = `class ${ours.damage} instead of ${theirs.damage}`
  const ofIndexes = ours.findings.filter(({ object, severity }) => object.kind === 'index' && severity === 'damage')
  const agreeing = new Set(ofIndexes.flatMap(({ object, agreeing }) => (agreeing === undefined ? [] : [object.name])))
  const indexes = [
    ...new Set(
      ofIndexes.flatMap(({ rule, object }) =>
        brokenInItself.has(rule) || !agreeing.has(object.name) ? [object.name] : [],
      ),
    ),
  ]
  if (indexes.length === 0) return { kind: 'weaker', why: said }
  const copy = `${path}.rebuilt`
  try {
    const rebuilding = rebuildIndexes(path, copy, indexes)
    if (rebuilding.kind === 'not-possible')
      return { kind: 'weaker', why: `${said}, and ${indexes.join(', ')} cannot be rebuilt: ${rebuilding.why}` }
    const left = diagnose(await readInProcess(copy, 'full', 'sqlite'), bareFileContext)
    // The pages of the old trees are unused now, and still form trees.
    const allowed = damageClasses.indexOf(ours.damage === 'index' ? 'structure' : ours.damage)
    const onlyOldTrees = left.findings.every(({ rule, severity }) => severity === 'notice' || ofUnusedPages.has(rule))
    if (left.verdict.kind !== 'inconclusive' && (onlyOldTrees || damageClasses.indexOf(left.damage) <= allowed))
      return { kind: 'indexes-proven', referee: ruleOf(theirs) }
    return {
      kind: 'weaker',
      why:
        `${said}; with ${indexes.join(', ')} rebuilt the referee still ` +
        `says: ${left.findings[0]?.text ?? left.verdict.kind}`,
    }
  } finally {
    removeDatabase(copy)
  }
}

const ofUnusedPages = new Set(['page-unowned', 'tree-unowned'])

const brokenInItself = new Set([
  'index-out-of-order',
  'record-malformed',
  'page-malformed',
  'page-unreadable',
  'page-out-of-range',
  'wrong-depth',
  'overflow-broken',
])

/** The referee's finding about a table, for counting. */
const ruleOf = ({ findings }: Diagnosis): string =>
  findings.find(({ object, severity }) => severity === 'damage' && object.kind === 'table')?.rule ??
  'suspected by its indexes'
