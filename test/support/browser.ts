/** Chromium without a window, from Debian's package: pages are looked at as people see them. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const program = '/usr/bin/chromium'

/** Installs the package as root. @returns why there is no browser; null if there is one */
export function whyNoBrowser(): string | null {
  if (existsSync(program)) return null
  if (process.geteuid?.() !== 0) return "Debian's package chromium is not installed, and only root can install it"
  const installed = spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], {
    stdio: 'ignore',
    timeout: 300_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  return installed.status === 0 && existsSync(program) ? null : 'apt-get could not install the package chromium'
}

/** Root needs --no-sandbox; the pages are our own. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: program, args: process.geteuid?.() === 0 ? ['--no-sandbox'] : [] })
