/** Reads one file with both engines: what does each make of it? */
import { copyFileSync } from 'node:fs'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import type { DiagnosisContext } from '../../src/diagnosis/diagnose.ts'
import { damageClasses } from '../../src/model/finding.ts'
import type { Finding } from '../../src/model/finding.ts'
import type { Diagnosis } from '../../src/model/verdict.ts'
import type { Engine, Reading } from '../../src/model/reading.ts'
import { removeDatabase } from './databases.ts'
import { readInProcess } from './read-in-process.ts'

const context: DiagnosisContext = { tenant: null, path: 'file.db', serviceSqlite: null, fileSystem: null, links: 1, verifiedBackup: false, accept: [] }

export interface Concluded {
  readonly reading: Reading
  readonly diagnosis: Diagnosis
}

/** Each engine gets a copy of its own: SQLite may write into what it reads. */
export async function readWithBoth(path: string): Promise<Readonly<Record<Engine, Concluded>>> {
  const conclude = async (engine: Engine): Promise<Concluded> => {
    const copy = `${path}.${engine}`
    for (const part of ['', '-wal', '-journal']) copyIfThere(path + part, copy + part)
    try {
      const reading = await readInProcess(copy, 'full', engine)
      return { reading, diagnosis: diagnose(reading, context) }
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

const wrongInItself = new Set(['index-out-of-order', 'record-malformed', 'page-malformed', 'page-unreadable', 'page-out-of-range', 'wrong-depth', 'overflow-broken'])
const verdicts = ['sound', 'inconclusive', 'damaged'] as const

/** Where the census says less than the referee: a sentence; null where it says as much, or more. */
export function isWeaker({ census, sqlite }: Readonly<Record<Engine, Concluded>>): string | null {
  const [ours, theirs] = [census.diagnosis, sqlite.diagnosis]
  if (verdicts.indexOf(ours.verdict.kind) < verdicts.indexOf(theirs.verdict.kind)) return `${ours.verdict.kind} instead of ${theirs.verdict.kind}`
  if (damageClasses.indexOf(ours.damage) >= damageClasses.indexOf(theirs.damage)) return null
  // SQLite takes an entry that lies in the wrong place for a key that the table holds twice, and rows that a broken index has lost for a witness against the table; or it breaks off
  // over a broken index and names its table.
  const brokenInItself = ours.findings.some(({ rule, object }) => object.kind === 'index' && wrongInItself.has(rule))
  const isThrow = ({ rule, page, source }: Finding): boolean => rule === 'page-unreadable' && page === undefined && source === 'sqlite'
  const rest = theirs.findings.filter((finding) => finding.severity === 'damage' && !isThrow(finding) && !['index', 'file', 'freelist', 'pointer-map'].includes(finding.object.kind))
  return brokenInItself && (ours.damage === 'index' || ours.damage === 'structure') && rest.length === 0 ? null : `class ${ours.damage} instead of ${theirs.damage}`
}
