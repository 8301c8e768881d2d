import { globSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

const root = new URL('../..', import.meta.url).pathname

/**
 * Prints what was skipped, left out or failed, and the totals in one line that other programs read. Whoever sees only
 * the end of a long output sees what failed.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 }
    const failed: string[] = []
    for (const module of modules) {
      const file = relative(root, module.moduleId)
      if (module.errors().length > 0) {
        count.failed++
        failed.push(file)
      }
      for (const test of module.children.allTests()) {
        const state = test.result().state
        if (state === 'passed') count.passed++
        else if (state === 'failed') {
          count.failed++
          failed.push(`${file} > ${test.fullName}: ${firstLine(test.result().errors?.[0]?.message ?? '')}`)
        } else {
          count.skipped++
          process.stdout.write(`skipped: ${test.fullName}\n`)
        }
      }
    }
    printLeftOut(modules)
    for (const one of failed) process.stdout.write(`failed: ${one}\n`)
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed${skipped}\n`)
  }
}

const firstLine = (text: string): string => text.split('\n', 1).join('').slice(0, 200)

/** Prints which long tests `npm test` has left out, but nothing if only some files were run by name. */
function printLeftOut(modules: readonly TestModule[]): void {
  const ran = new Set(modules.map((module) => relative(root, module.moduleId)))
  const all = globSync('test/**/*.test.ts', { cwd: root })
  const left = all.filter((file) => !ran.has(file))
  if (left.every((file) => file.endsWith('.long.test.ts')))
    for (const file of left) process.stdout.write(`left out: ${file} (npm run test:long)\n`)
}
