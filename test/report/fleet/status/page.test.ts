/** The page of a fleet: what it says, and how Chromium shows it, with hostile names and with a thousand hosts. */
import { writeFileSync } from 'node:fs'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderFleetPage } from '../../../../src/report/fleet/status/fleet-page.ts'
import type { FleetView } from '../../../../src/report/fleet/status/fleet-view.ts'
import { openBrowser, whyNoBrowser } from '../../../support/browser.ts'
import { makeFolder, type Folder } from '../../../support/cli/folder.ts'
import { fleetFile, fleetRun, fleetView, host, share } from '../../../support/fleet/status-facts.ts'
import { hostileTexts } from '../../../support/pages.ts'
import { hour, now } from '../../../support/status.ts'

const pageOf = (view: FleetView): string => [...renderFleetPage(view, '0.1.0')].join('')
const counts = { sound: 9, damaged: 0, inconclusive: 0, failed: 0, never: 0 }

const wrong = (): FleetView =>
  fleetView({
    hosts: [host('h1', { said: 'the outbox is full' }), host('h2', { seenAt: now - hour }), host('h3')],
    shares: [share('h1', { counts: { ...counts, damaged: 1 } }), share('h2'), share('h3', { stale: 3 })],
    files: [fleetFile('acme'), fleetFile('bolt', { verdict: 'failed', failure: 'RESUME_FAILED', host: 'h2' })],
    runs: [fleetRun({ state: 'fed', endedAt: null, done: 7 }), fleetRun()],
    slots: [{ scope: 'service:notes', slot: 1, holder: 'h2', takenAt: now - hour, expiryMs: 90_000 }],
    breakers: [{ scope: 'service:notes', reason: 'a test', since: now - hour, by: 'ada' }],
  })

const hostile = (): FleetView =>
  fleetView({
    hosts: hostileTexts.map((text) => host(text, { said: text, domain: text, version: text })),
    shares: hostileTexts.map((text) => share(text, { service: text, counts: { ...counts, damaged: 1 } })),
    files: hostileTexts.map((text) => fleetFile(text, { host: text, service: text, path: text, failure: text })),
    runs: hostileTexts.map((text) => fleetRun({ id: text, kind: text, said: text, endedAt: null })),
    slots: hostileTexts.map((text) => ({ scope: text, slot: 1, holder: text, takenAt: now - hour, expiryMs: 90_000 })),
    breakers: hostileTexts.map((text) => ({ scope: text, reason: text, since: now, by: text })),
  })

const large = (): FleetView => {
  const names = Array.from({ length: 1000 }, (_, at) => `host-${at}`)
  return fleetView({
    hosts: names.map((name) => host(name)),
    shares: names.map((name, at) => share(name, at % 50 === 3 ? { counts: { ...counts, damaged: 1 } } : {})),
    files: Array.from({ length: 1000 }, (_, at) => fleetFile(`tenant-${at}`)),
  })
}

test('what is known of a fleet that is well', () => {
  const page = pageOf(fleetView())
  expect(page).toContain('<h1>All 20 files sound</h1>')
  expect(page).toContain('<p>Nothing.</p>')
  expect(page).toContain('the fleet: 0 of 2 slots\ntaken\n')
  expect(page).not.toContain('Files that are not sound')
})

test('what is wrong comes first, each command with its host', () => {
  const page = pageOf(wrong())
  expect(page).toContain('<h1>1 tenant may still be paused</h1>')
  const [, now = ''] = /<section aria-labelledby="now"([\s\S]*?)<\/section>/.exec(page) ?? []
  const steps = [...now.matchAll(/<li>\s*(On <bdi>\w+<\/bdi>|Here):<div class="command"><code>([^<]+)/g)]
  expect(steps.map(([, where, command]) => [where, command])).toEqual([
    ['On <bdi>h2</bdi>', 'holdfast resume --all'],
    ['On <bdi>h1</bdi>', 'holdfast repair --tenant acme'],
    ['Here', 'holdfast fleet resume --service notes'],
    ['Here', 'holdfast fleet agents'],
    ['Here', 'holdfast coordinator'],
    ['On <bdi>h2</bdi>', 'holdfast check --tenant bolt'],
    ['Here', 'holdfast fleet sweep'],
  ])
  expect(page).toMatch(/<b>1<\/b> with a tenant that may still be paused/)
  expect(page).toContain('service notes: 1 of 1 slot\ntaken, 1 not given back, and nothing may be paused')
})

test('names neither end their element nor add one', () => {
  const page = pageOf(hostile())
  const tags = (text: string): ReadonlySet<string> => new Set(text.match(/<[a-z]+/g))
  expect(tags(page)).toEqual(new Set(tags(pageOf(wrong()))))
  for (const letter of ['\u202e', '\u0000', '\u001b', '\u2028']) expect(page).not.toContain(letter)
})

const noBrowser = whyNoBrowser()
describe.skipIf(noBrowser !== null)(noBrowser === null ? 'in Chromium' : `in Chromium, not run: ${noBrowser}`, () => {
  let browser: Browser
  let folder: Folder
  beforeAll(async () => {
    folder = makeFolder()
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser.close()
    folder[Symbol.dispose]()
  })

  async function opened(
    view: FleetView,
    options: BrowserContextOptions,
    look: (page: Page) => Promise<void>,
  ): Promise<void> {
    const path = folder.in('fleet.html')
    writeFileSync(path, pageOf(view))
    const context = await browser.newContext(options)
    try {
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('request', (request) => {
        if (request.url() !== `file://${path}`) complaints.push(`asks for ${request.url()}`)
      })
      await page.goto(`file://${path}`)
      await look(page)
      expect(complaints).toEqual([])
    } finally {
      await context.close()
    }
  }

  test.each([
    ['hostile', hostile, 'light'],
    ['wrong', wrong, 'dark'],
  ] as const)('axe finds nothing, and nothing is fetched: %s', async (_, view, colorScheme) => {
    await opened(view(), { viewport: { width: 1280, height: 900 }, colorScheme }, async (page) => {
      const session = await page.context().newCDPSession(page)
      const run = "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html))"
      const expression = `${axe.source};${run}`
      const { result } = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
      expect(result.value).toEqual([])
    })
  })

  test('a thousand hosts open quickly, and a phone never scrolls the page sideways', async () => {
    await opened(large(), { viewport: { width: 320, height: 700 }, isMobile: true }, async (page) => {
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
      const timing = await page.evaluate('performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd')
      expect(timing).toBeLessThan(5_000) // Under the load of other tests; alone it takes a tenth.
      expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(40_000)
    })
  })
})
