/** Silent change below the file system. */
import { execFileSync } from 'node:child_process'
import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Result } from '../../src/model/result/report.ts'
import { makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { shortVerdict, reportOf, single } from '../support/cli/program.ts'
import { rotten, said, sql } from '../support/cli/silently-changed.ts'
import { flipBit } from '../support/databases/rot.ts'
import { whySkipped } from '../support/host/mounts.ts'

/** Why there is no device to write to below a file system; null where there is. */
function whyNoDevice(): string | null {
  try {
    const image = `/tmp/holdfast-device-${process.pid}`
    writeFileSync(image, '')
    truncateSync(image, 1 << 20)
    const device = execFileSync('losetup', ['--find', '--show', image], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
    execFileSync('losetup', ['-d', device])
    rmSync(image)
    return null
  } catch (error) {
    return String(error)
  }
}

const noDevice = whyNoDevice()
test.skipIf(noDevice !== null)(
  `a bit that flips on the device itself, below the file system${whySkipped(noDevice)}`,
  async () => {
    using folder = makeFolder()
    const image = folder.in('image')
    const mounted = folder.in('mounted')
    execFileSync('mkdir', [mounted])
    writeFileSync(image, '')
    truncateSync(image, 32 << 20)
    const device = execFileSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).trim()
    try {
      execFileSync('mkfs.ext4', ['-q', '-O', '^metadata_csum', device])
      const mount = (): void => void execFileSync('mount', [device, mounted])
      const unmount = (): void => void execFileSync('umount', [mounted])
      mount()
      const path = makeDatabase(join(mounted, 'app.db'), { rows: 500 })
      sql(path, '', 'journal_mode=wal')
      const check = async (): Promise<Result> =>
        single(await reportOf(['check', path, '--ledger', folder.in('ledger')]))
      expect(said(await check())).toEqual([])
      unmount() // So that nothing of the file is in memory any more.
      flipBit(device, 'body 300 ')
      mount()
      const found = await check()
      unmount()
      expect([shortVerdict(found), said(found), found.findings[0]?.object.name]).toEqual([
        'damaged table',
        rotten,
        'notes',
      ])
    } finally {
      try {
        execFileSync('umount', ['-l', mounted], { stdio: 'ignore' })
      } catch {
        // It is unmounted already.
      }
      execFileSync('losetup', ['-d', device])
    }
  },
)
