/**
 * Repairs many wounded databases, one after the other in one run, and compares what each command says and does with
 * what is known of the files from before they were wounded.
 */
import { readdirSync } from 'node:fs'
import type { RemedyResult } from '../../../src/model/result/remedy.ts'
import { makeFolder } from '../cli/folder.ts'
import type { RemedyCase } from './cases.ts'
import { contentsOf, differencesOf, examine, type Contents } from './contents.ts'
import { layOut, layouts, needsRecovery, type Layout } from './layouts.ts'
import { attributesOf, bytesOf, differentParts, type InodeAttributes, type BytesOfParts } from './live-files.ts'
import { shortRemedy, runRemedy, verdictsOf, type RemedyRunResult } from './remedy-run.ts'

export interface WoundedScene {
  readonly it: RemedyCase
  readonly layout: Layout
  readonly path: string
  /** Of the sound database in this layout. */
  readonly expected: Contents
  /** Of the wounded live set. */
  readonly bytes: BytesOfParts
  readonly attributes: InodeAttributes
}

/** True if the case can be in this layout. */
export const fits = ({ aloneOnly }: RemedyCase, layout: Layout): boolean => !(aloneOnly && needsRecovery(layout))

/**
 * Each case with some layouts, so that each wound meets every layout, and every subject that it is made in. The rest of
 * the layouts of each case is left to `npm run soak -- matrix`.
 */
export function everyLayoutInTurn(cases: readonly RemedyCase[]): readonly (readonly [RemedyCase, Layout])[] {
  const subjectsOf = Map.groupBy(cases, ({ name }) => name)
  return cases.flatMap((one) => {
    const same = subjectsOf.get(one.name) ?? [one]
    const fitting = layouts.filter((layout) => fits(one, layout))
    const [at, of] = [same.indexOf(one), Math.min(same.length, fitting.length)]
    return fitting.filter((_, index) => index % of === at % of).map((layout) => [one, layout] as const)
  })
}

/** Each case with every layout that it can have. */
export const inEveryLayout = (cases: readonly RemedyCase[]): readonly (readonly [RemedyCase, Layout])[] =>
  cases.flatMap((one) => layouts.filter((layout) => fits(one, layout)).map((layout) => [one, layout] as const))

const expectedContents = new Map<string, Contents>()

/** Contents of the sound database in this layout. Also written to `path`. */
export function makeSound(path: string, it: RemedyCase, layout: Layout): Contents {
  layOut(path, layout, it.subject.create, () => undefined)
  const key = `${it.subject.name} ${layout}`
  const known = expectedContents.get(key) ?? contentsOf(path)
  expectedContents.set(key, known)
  return known
}

/** Writes a wounded live set to `path`, where a sound one may be. */
export function makeScene(path: string, it: RemedyCase, layout: Layout): WoundedScene {
  const expected = makeSound(path, it, layout)
  layOut(path, layout, it.subject.create, it.wound)
  return { it, layout, path, expected, bytes: bytesOf(path), attributes: attributesOf(path) }
}

export interface MatrixOutcome {
  /** Scenes that were planned, applied and undone. */
  readonly scenes: number
  readonly applied: number
  /** Each with the case, the layout and the step. */
  readonly complaints: readonly string[]
}

/** Plans, applies and undoes `repair` for all of these, without a backup. */
export async function repairAll(cases: readonly (readonly [RemedyCase, Layout])[]): Promise<MatrixOutcome> {
  using folder = makeFolder()
  const scenes = cases.map(([it, layout], at) => makeScene(folder.in(`case-${at}.db`), it, layout))
  const complaints: string[] = []
  const complain = ({ it, layout }: WoundedScene, step: string, lines: readonly string[]): void => {
    complaints.push(...lines.map((line) => `${it.name} (${it.subject.name}, ${layout}), ${step}: ${line}`))
  }
  const paths = scenes.map(({ path }) => path)
  const resultsOf = (run: RemedyRunResult): ReadonlyMap<string, RemedyResult> =>
    new Map(run.results.map((result) => [result.path, result]))

  const listed = namesIn(folder.path)
  const planned = resultsOf(await runRemedy(['repair', ...paths]))
  for (const scene of scenes) complain(scene, 'plan', complaintsAboutPlan(scene, planned.get(scene.path)))
  const added = namesIn(folder.path).filter((name) => !listed.includes(name))
  if (added.length > 0) complaints.push(`the plan has written ${added.join(', ')}`)

  const applied = resultsOf(await runRemedy(['repair', ...paths, '--apply']))
  const verdicts = await verdictsOf(paths)
  for (const scene of scenes)
    complain(scene, 'apply', complaintsAboutApply(scene, applied.get(scene.path), verdicts.get(scene.path) ?? 'none'))

  const changed = scenes.filter(({ path }) => applied.get(path)?.applied)
  if (changed.length > 0) {
    await runRemedy(['repair', ...changed.map(({ path }) => path), '--undo'])
    for (const scene of changed) complain(scene, 'undo', complaintsAboutBytes(scene))
  }
  return { scenes: scenes.length, applied: changed.length, complaints }
}

const namesIn = (folder: string): readonly string[] => readdirSync(folder).toSorted()

/** What `plan.do` may be, without a backup. */
const offersOf = ({ remedy }: RemedyCase): readonly string[] =>
  remedy === 'lost' ? ['ask'] : remedy === 'whole' ? ['ask', 'rewrite'] : [remedy]

const isCarriedOut = ({ plan }: RemedyResult): boolean => plan.do === 'rebuild' || plan.do === 'rewrite'

function complaintsAboutPlan(scene: WoundedScene, result: RemedyResult | undefined): readonly string[] {
  if (result === undefined) return ['there is no result']
  const { plan, rehearsal, before } = result
  const said = shortRemedy(result)
  const because = `${said}: ${plan.why}${result.failure ? ` (${result.failure.message})` : ''}`
  return [
    ...(before.verdict === 'damaged' ? [] : [`the verdict before is ${before.verdict}`]),
    ...(offersOf(scene.it).includes(plan.do) ? [] : [`${offersOf(scene.it).join(' or ')} is right, not ${because}`]),
    ...(plan.do !== 'rebuild' || plan.objects.toSorted().join() === scene.it.objects.join()
      ? []
      : [`${plan.objects.join()} instead of ${scene.it.objects.join()}`]),
    ...(!isCarriedOut(result) || (rehearsal?.verdict === 'sound' && rehearsal.contentSame)
      ? []
      : [`the rehearsal: ${JSON.stringify(rehearsal)}, ${because}`]),
    ...(result.applied === null ? [] : ['a plan has applied something']),
    ...complaintsAboutBytes(scene),
  ]
}

function complaintsAboutApply(
  scene: WoundedScene,
  result: RemedyResult | undefined,
  verdict: string,
): readonly string[] {
  if (result === undefined) return ['there is no result']
  const { applied } = result
  if (applied === null)
    return [
      ...(scene.it.remedy === 'lost' || scene.it.remedy === 'whole' ? [] : [`not applied: ${shortRemedy(result)}`]),
      ...complaintsAboutBytes(scene),
    ]
  return [
    ...(scene.it.remedy === 'lost' ? [`applied, although rows are lost: ${shortRemedy(result)}`] : []),
    ...(applied.verdict === 'sound' ? [] : [`the verdict afterwards is ${applied.verdict}`]),
    ...(verdict === 'sound' ? [] : [`holdfast check says ${verdict}`]),
    ...complaintsAboutContents(scene.path, scene.expected),
    ...differentParts(scene.bytes, bytesOf(applied.original)).map((line) => `kept original, ${line}`),
    ...differentAttributes(scene.attributes, attributesOf(scene.path)),
  ]
}

/** The live set is sound by the SQLite of Node, and has these contents. */
export function complaintsAboutContents(path: string, expected: Contents): readonly string[] {
  try {
    const { contents, integrity } = examine(path)
    return [...integrity.map((line) => `integrity_check: ${line}`), ...differencesOf(expected, contents)]
  } catch (error) {
    return [`it cannot be read: ${String(error)}`]
  }
}

/** The live set has the very bytes that it had when it was wounded. */
export const complaintsAboutBytes = ({ path, bytes }: WoundedScene): readonly string[] =>
  differentParts(bytes, bytesOf(path)).map((line) => `live set, ${line}`)

function differentAttributes(expected: InodeAttributes, found: InodeAttributes): readonly string[] {
  const [before, after] = [JSON.stringify(expected), JSON.stringify(found)]
  return before === after ? [] : [`owner, mode or attributes: ${after} instead of ${before}`]
}
