/** The page as Chromium shows it: with hostile names, on a phone, in the dark, printed, by keyboard, and large. */
import { writeFileSync } from 'node:fs'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser, whyNoBrowser } from '../../support/browser.ts'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { hostileHistories, hostileReport, pageOf } from '../../support/pages.ts'
import { damaged, paused, report, sound, unproven } from '../../support/report.ts'

const noBrowser = whyNoBrowser()
const title = noBrowser === null ? 'in Chromium' : `in Chromium, not run: ${noBrowser}`

describe.skipIf(noBrowser !== null)(title, () => {
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

  const pages = {
    hostile: () => pageOf(hostileReport(), { histories: hostileHistories() }),
    mixed: () => pageOf(report([damaged('bolt'), paused('acme'), unproven('coda'), sound('dora')], {}, 2)),
    large: () => pageOf(report(Array.from({ length: 10_000 }, (_, i) => (i % 500 === 3 ? damaged : sound)(`t${i}`)))),
  }

  /** Opens the page as a file, and collects what a page must not do. */
  async function opened(
    name: keyof typeof pages,
    options: BrowserContextOptions,
    look: (page: Page, complaints: string[]) => Promise<void>,
  ): Promise<void> {
    const path = folder.in(`${name}.html`)
    writeFileSync(path, pages[name]())
    const context = await browser.newContext(options)
    try {
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('dialog', (dialog) => {
        complaints.push(`dialog ${dialog.message()}`)
        void dialog.dismiss()
      })
      page.on('request', (request) => {
        if (request.url() !== `file://${path}`) complaints.push(`asks for ${request.url()}`)
      })
      await page.goto(`file://${path}`)
      await look(page, complaints)
      expect(complaints).toEqual([])
    } finally {
      await context.close()
    }
  }

  /** Violations of accessibility. The page's policy allows no other script, so the debugger runs it. */
  async function violations(page: Page): Promise<unknown> {
    const session = await page.context().newCDPSession(page)
    const run = "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html))"
    const expression = `${axe.source};${run}`
    const { result } = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    return result.value
  }

  test.each(['hostile', 'mixed'] as const)('no script runs but ours, and nothing is fetched: %s', async (name) => {
    await opened(name, { viewport: { width: 1280, height: 900 } }, async (page) => {
      await page.mouse.move(200, 400)
      expect(await page.locator('script').count()).toBe(1)
      expect(await page.locator('img, iframe, object, [style], [onerror], [onload]').count()).toBe(0)
    })
  })

  test.each([
    ['hostile', 'light'],
    ['hostile', 'dark'],
    ['mixed', 'light'],
    ['mixed', 'dark'],
  ] as const)('axe finds nothing: %s, %s', async (name, colorScheme) => {
    await opened(name, { viewport: { width: 1280, height: 900 }, colorScheme }, async (page) => {
      expect(await violations(page)).toEqual([])
    })
  })

  test.each(['hostile', 'mixed', 'large'] as const)('a phone never scrolls the page sideways: %s', async (name) => {
    await opened(
      name,
      { viewport: { width: 320, height: 700 }, isMobile: true, deviceScaleFactor: 2 },
      async (page) => {
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
      },
    )
  })

  test('by keyboard: the button after a command copies exactly this command, and says so', async () => {
    const options = { permissions: ['clipboard-read', 'clipboard-write'] }
    await opened('mixed', options, async (page) => {
      const isThere = "document.activeElement === document.querySelector('#now ~ ol button.copy')"
      for (let i = 0; i < 20 && !(await page.evaluate(isThere)); i++) await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.waitForFunction("document.getElementById('said').textContent !== ''")
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe('holdfast repair --tenant bolt')
    })
  })

  test('without its script the page has all it says, and no button that does nothing', async () => {
    await opened('mixed', { javaScriptEnabled: false }, async (page) => {
      expect(await page.locator('button.copy:visible').count()).toBe(0)
      expect(await page.locator('code:visible').count()).toBeGreaterThan(2)
    })
  })

  test('on paper the evidence is unfolded, and there are no buttons', async () => {
    await opened('mixed', {}, async (page) => {
      await page.emulateMedia({ media: 'print' })
      expect(await page.locator('button.copy:visible').count()).toBe(0)
      expect(await page.locator('details dl').first().isVisible()).toBe(true)
    })
  })

  test('ten thousand tenants open quickly', async () => {
    await opened('large', {}, async (page) => {
      const timing = await page.evaluate('performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd')
      expect(timing).toBeLessThan(5_000) // Under the load of other tests; alone it takes a tenth.
      expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(20_000)
    })
  })
})
