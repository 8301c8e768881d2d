/** The disk is full at one moment or another of `repair --apply`: the file is as it was or wholly mended. */
import { copyFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { damageIndex, makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { mount, whyNoMount, whySkipped } from '../support/host/mounts.ts'
import { startProgram, repository } from '../support/processes.ts'
import { examine } from '../support/remedies/contents.ts'
import { bytesOf, differentParts } from '../support/remedies/live-files.ts'

const why = whyNoMount('tmpfs')

/** Room for so many copies of the file, besides the file itself. */
const rooms = [0.2, 0.7, 1.2, 1.7, 2.2, 2.7, 3.2, 4.2, 5.5] as const

it.skipIf(why !== null).each(rooms)(
  `with room for %d more files of its size: old or new, and the exit code says so${whySkipped(why)}`,
  async (room) => {
    using folder = makeFolder()
    const made = makeDatabase(folder.in('app.db'), { rows: 9_000, wal: true })
    damageIndex(made)
    using disk = mount('tmpfs', Math.ceil(statSync(made).size * (1 + room)))
    const path = join(disk.path, 'app.db')
    copyFileSync(made, path)
    const before = bytesOf(path)
    const args = [join(repository, 'bin/holdfast.js'), 'repair', path, '--apply', '--json']
    await using run = startProgram(process.execPath, args, { TMPDIR: disk.path })
    const { code, stdout, stderr } = await run.ended
    const said = `exit code ${code}: ${stderr} ${stdout}`
    expect(stdout + stderr, said).not.toMatch(/defect in holdfast/)
    if (differentParts(before, bytesOf(path)).length === 0) expect(code, said).toBe(1)
    else {
      expect(examine(path).integrity).toEqual([])
      expect(code, said).toBe(0)
    }
    const left = readdirSync(disk.path).filter((name) => !name.startsWith('app.db'))
    expect(left, said).toEqual([])
    if (code !== 0) expect(readdirSync(disk.path).filter((name) => name.includes('original'))).toEqual([])
  },
)
