import { symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requireListedOnce } from '../../../src/hold/live/listed-once.ts'
import { resolveLivePath } from '../../../src/hold/live/live-path.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

test('of two names of one file the second is refused, and the first is named', async () => {
  using folder = temporaryFolder()
  const names = ['a.db', 'link.db', 'b.db'].map((name) => folder.file(name))
  const [first = '', link = '', other = ''] = names
  for (const name of [first, other]) writeFileSync(name, '')
  symlinkSync(first, link)
  const seen = new Map<string, string>()
  const list = async (named: string): Promise<void> =>
    requireListedOnce(named, await resolveLivePath(named, null), seen)
  await list(first)
  await expect(list(link)).rejects.toMatchObject({
    code: 'MANY_NAMES',
    message: `${link} is the same file as ${first}, which the service lists for this tenant too`,
  })
  await list(other)
})
