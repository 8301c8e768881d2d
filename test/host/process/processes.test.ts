import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isAlive, isKernelThread, startTimeOf } from '../../../src/host/process/processes.ts'
import { commandOf } from '../../../src/host/programs/command-line.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { eventually } from '../../support/processes.ts'

test('a process is alive with its own start time only', () => {
  const started = startTimeOf(process.pid)
  expect(started).toMatch(/^\d+$/)
  expect(isAlive(process.pid, started ?? '')).toBe(true)
  expect(isAlive(process.pid, String(Number(started) + 1))).toBe(false)
})

test('a pid without a process is no process', () => {
  expect(startTimeOf(4_194_305)).toBeNull()
  expect(isAlive(4_194_305, '1')).toBe(false)
})

test('a name full of brackets and blanks hides neither start time nor command', async () => {
  using folder = temporaryFolder()
  const program = folder.file(') S 1 2 (')
  copyFileSync('/bin/sleep', program)
  chmodSync(program, 0o755)
  const child = spawn(program, ['60'], { stdio: 'ignore' })
  try {
    const started = await eventually('its name is set', async () =>
      (await commandOf(child.pid ?? 0)) === ') S 1 2 (' ? startTimeOf(child.pid ?? 0) : null,
    )
    expect(Number(started)).toBeGreaterThanOrEqual(Number(startTimeOf(process.pid)))
  } finally {
    child.kill('SIGKILL')
  }
})

test('a zombie is not alive', async () => {
  // The shell never waits for its child, which becomes a zombie once it is killed.
  const shell = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 61'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const pid = Number(
    await new Promise((resolve) => {
      shell.stdout.once('data', (bytes) => resolve(String(bytes)))
    }),
  )
  try {
    const started = startTimeOf(pid) ?? ''
    expect(isAlive(pid, started)).toBe(true)
    await eventually(
      'the shell is no shell any more, which might still look after it',
      async () => (await commandOf(shell.pid ?? 0)) === 'sleep',
    )
    process.kill(pid, 'SIGKILL')
    await eventually('dead', () => !isAlive(pid, started))
    expect(startTimeOf(pid)).toBe(started)
  } finally {
    shell.kill('SIGKILL')
  }
})

test('threads of the kernel are told from processes', () => {
  expect(isKernelThread(process.pid)).toBe(false)
  const threads = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isKernelThread(pid))
  expect(threads.every((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8') === '')).toBe(true)
})

test('a command is the program and its script, never its other arguments', async () => {
  using folder = temporaryFolder()
  const script = folder.file('job\n.py')
  writeFileSync(script, '')
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)', '--', script, '--password=secret'], {
    stdio: 'ignore',
  })
  try {
    await eventually('it runs', async () => (await commandOf(child.pid ?? 0)).startsWith('node'))
    expect(await commandOf(child.pid ?? 0)).toBe('node job?.py')
  } finally {
    child.kill('SIGKILL')
  }
})
