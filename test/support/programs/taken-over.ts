/**
 * What a hostile file could make of a child: makes folders in its sandbox and swaps them for links to a folder outside,
 * without end. `taken-over.ts '{"folder": FOLDER, "uid": N, "gid": N, "victim": FOLDER, "rooted": BOOLEAN}'`. `rooted`:
 * the folder is its root, like the sandbox of a child.
 */
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { chroot } from '../../../src/host/libc.ts'

interface TakeOverOrder {
  readonly folder: string
  readonly uid: number
  readonly gid: number
  readonly victim: string
  readonly rooted: boolean
}

const { folder, uid, gid, victim, rooted } = JSON.parse(process.argv[2] ?? '{}') as TakeOverOrder
if (rooted) chroot(folder)
process.chdir(rooted ? '/' : folder)
process.setgroups?.([])
process.setgid?.(gid)
process.setuid?.(uid)

let number = 0
function swapOnce(): void {
  const name = `deep-${number++ % 8}`
  mkdirSync(`${name}/below/below`, { recursive: true })
  for (let i = 0; i < 20; i++) writeFileSync(`${name}/file-${i}`, '')
  renameSync(name, `aside-${number}`)
  symlinkSync(victim, name)
  unlinkSync(name)
}

for (;;) {
  try {
    swapOnce()
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 1)) // The parent has taken the sandbox back.
  }
  if (number === 8) process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
  await new Promise((resolve) => setImmediate(resolve))
}
