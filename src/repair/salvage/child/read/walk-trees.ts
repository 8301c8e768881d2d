/** Child side: gives the pages of the file to the trees of the schema. */
import { countChains, type WalkedTree } from './adopt-pages.ts'
import type { DamagedFile } from './damaged-file.ts'
import type { OverflowChains } from './payloads.ts'
import type { TreeShape } from './shape.ts'
import { TreeWalker } from './walk-tree.ts'

/** Yields after each page. @param shapes in the order of the schema, the schema itself first */
export function* walkTrees(
  file: DamagedFile,
  chains: OverflowChains,
  shapes: readonly TreeShape[],
): Generator<void, readonly WalkedTree[]> {
  const trees: WalkedTree[] = []
  const walkers = shapes.map((shape) => ({ shape, walker: new TreeWalker(file, shape, chains) }))
  // A tree whose records have fewer columns may have been led to pages of another. It gets what the others leave.
  const exact = walkers.map(({ shape, walker }) => shape.id === 0 || walker.looksExact())
  const inOrder = [true, false].flatMap((isExact) => walkers.filter((_, i) => exact[i] === isExact))
  // The same goes for one that only a backup knows.
  const order = [false, true].flatMap((ofBackup) => inOrder.filter(({ shape }) => shape.rootOfBackup === ofBackup))
  for (const { shape, walker } of order) {
    const walked = { leafDepth: null, gaps: [] }
    const tree: WalkedTree = {
      shape,
      walker,
      walked,
      // Another table may have it meanwhile, also one that the schema does not show any more.
      isCertain: !shape.rootOfBackup,
      countMin: null,
      entries: 0,
      badCells: 0,
      adopted: [],
      filled: new Set(),
    }
    for (const { judged } of walker.walk('claim', walked)) {
      const good = judged.states.filter((state) => state === 'good').length
      tree.entries += good
      tree.badCells += judged.states.length - good
      if (judged.columnsMin !== null) tree.countMin = Math.min(tree.countMin ?? Infinity, judged.columnsMin)
      yield
    }
    trees.push(tree)
  }
  yield* countAllChains(file, chains, trees)
  return trees.toSorted((a, b) => a.shape.id - b.shape.id)
}

function* countAllChains(file: DamagedFile, chains: OverflowChains, trees: readonly WalkedTree[]): Generator<void> {
  const bytes = new Uint8Array(file.layout.pageSize)
  const byId = new Map(trees.map((tree) => [tree.shape.id, tree]))
  for (let page = 1; page <= file.pages; page++) {
    const tree = byId.get((file.owners[page] ?? 0) - 1)
    if (tree === undefined || file.read(page, bytes) === null) continue
    countChains(chains, tree.walker, tree.shape, page, bytes)
    yield
  }
}
