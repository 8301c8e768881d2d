import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { pidsListeningOn } from '../../../src/host/process/socket-owner.ts'

test('the process that listens on a socket is named, also by another name of the path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'socket-owner-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  symlinkSync(folder, `${folder}-link`)
  onTestFinished(() => rmSync(`${folder}-link`))
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(folder, 'admin.sock'), resolve))
  onTestFinished(() => void server.close())
  expect(await pidsListeningOn(join(folder, 'admin.sock'), null)).toEqual(new Set([process.pid]))
  expect(await pidsListeningOn(join(`${folder}-link`, 'admin.sock'), null)).toEqual(new Set([process.pid]))
})

test('no process is named where none listens', async () => {
  expect(await pidsListeningOn('/nonexistent/admin.sock', null)).toEqual(new Set())
})
