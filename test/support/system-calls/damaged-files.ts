/**
 * Damaged files that a command may mend: one with a damaged index, one with a damaged table and a backup. Whatever
 * fails, a file is as it was or wholly mended, and the next command without a fault ends what was begun.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { damageIndex, makeDatabase } from '../cli/folder.ts'
import { repository, startProgram, type EndedProgram } from '../processes.ts'
import { contentsOf, differencesOf, examine, type Contents } from '../remedies/contents.ts'
import { bytesOf, differentParts } from '../remedies/live-files.ts'
import { zeroLeaf } from '../remedies/object-wounds.ts'

const names = ['index.db', 'table.db'] as const
type DamagedName = (typeof names)[number]

export class DamagedFiles {
  readonly #folder: string
  readonly #mended = new Map<DamagedName, Contents>()

  /** @param folder of the scene */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Makes the files once, and gives each trial copies of them. */
  async reset(): Promise<void> {
    if (!existsSync(this.#in('broken'))) await this.#make()
    rmSync(this.#in('mended'), { recursive: true, force: true })
    cpSync(this.#in('broken'), this.#in('mended'), { recursive: true })
  }

  /** @param args of the command, which is run again without a fault */
  async complaints(args: readonly string[], ended: EndedProgram): Promise<readonly string[]> {
    const complaints = names.flatMap((name) => this.#complaintsAbout(name))
    const target = names.find((name) => args.includes(this.#in(`mended/${name}`)))
    if (target === undefined || !args.includes('--apply')) {
      const changed = names.filter((name) => this.#isMended(name))
      return [...complaints, ...changed.map((name) => `${name} was changed without --apply`)]
    }
    if (ended.code === 0 && !this.#isMended(target)) complaints.push(`exit code 0, and ${target} was not mended`)
    // A sound file is restored only to a state that a person names (64).
    const codes = args[0] === 'restore' && this.#isMended(target) ? [0, 64] : [0]
    const { code, stderr } = await run(args)
    if (!codes.includes(code ?? -1))
      complaints.push(`the next run without a fault: exit code ${code}: ${stderr.slice(-500)}`)
    if (!this.#isMended(target)) complaints.push(`${target} was not mended by the next run`)
    complaints.push(...names.flatMap((name) => this.#complaintsAbout(name)))
    const left = readdirSync(this.#in('mended')).filter((name) => name.startsWith('.holdfast'))
    return [...complaints, ...left.map((name) => `left beside the live file, also by the next run: ${name}`)]
  }

  async #make(): Promise<void> {
    const broken = this.#in('broken')
    mkdirSync(broken)
    for (const name of names) makeDatabase(join(broken, name), { rows: 600, wal: name === 'index.db' })
    mkdirSync(this.#in('mended'))
    // The backup names the file that it was taken of.
    const path = this.#in('mended/table.db')
    cpSync(join(broken, 'table.db'), path)
    const { code, stderr } = await run(['backups', 'add', path, '--backups', this.#in('backups')])
    if (code !== 0) throw new Error(`backups add failed: ${code} ${stderr}`)
    damageIndex(join(broken, 'index.db'))
    for (const name of names) this.#mended.set(name, contentsOf(join(broken, name)))
    zeroLeaf('notes')(join(broken, 'table.db'))
  }

  #isMended = (name: DamagedName): boolean => this.#differences(name).length > 0

  /** From the damaged file. */
  #differences = (name: DamagedName): readonly string[] =>
    differentParts(bytesOf(this.#in(`broken/${name}`)), bytesOf(this.#in(`mended/${name}`)))

  #complaintsAbout(name: DamagedName): readonly string[] {
    if (!this.#isMended(name)) return []
    const expected = this.#mended.get(name)
    try {
      const { integrity, contents } = examine(this.#in(`mended/${name}`))
      const wrong = [...integrity, ...(expected === undefined ? [] : differencesOf(expected, contents))]
      return [...wrong, ...this.#complaintsAboutOriginal(name)].map((line) => `${name}: ${line}`)
    } catch (error) {
      return [`${name} is neither as it was nor mended: ${String(error)}`]
    }
  }

  #complaintsAboutOriginal(name: DamagedName): readonly string[] {
    const original = readdirSync(this.#in('mended')).find((one) =>
      new RegExp(`^${name}\\.original-[0-9A-Z]{26}$`).test(one),
    )
    if (original === undefined) return ['it was changed, and no original is kept']
    const kept = readFileSync(this.#in(`mended/${original}`))
    return kept.equals(readFileSync(this.#in(`broken/${name}`))) ? [] : ['the kept original is another']
  }

  #in = (name: string): string => join(this.#folder, name)
}

async function run(args: readonly string[]): Promise<EndedProgram> {
  await using program = startProgram(process.execPath, [join(repository, 'bin/holdfast.js'), ...args])
  return await program.ended
}
