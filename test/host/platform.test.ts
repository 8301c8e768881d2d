import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

const host = new URL('../../src/host/', import.meta.url)
const sources = readdirSync(host, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

/** What a program says that takes this process for one of another platform, or for one without koffi. */
function run(pretence: string, code: string): string {
  const program = `${pretence}
    const modules = {}
    for (const name of ${JSON.stringify(sources)})
      Object.assign(modules, await import(${JSON.stringify(host.href)} + name))
    ${code}`
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim()
}
const elsewhere = (platform: string, arch: string): string =>
  `Object.defineProperty(process, 'platform', { value: '${platform}' }); ` +
  `Object.defineProperty(process, 'arch', { value: '${arch}' })`
const tries = `
  const range = { start: 0, length: 1 }
  const tries = {
    requireLinux: [], tryLock: [0, 'write', range], tryPosixLock: [0, 'read', range], unlock: [0, range],
    findConflict: [0, 'read', range], takeWriteLease: [0], leaseOf: [0], releaseLease: [0], onLeaseBreak: [() => {}],
    findHolders: [[], { exceptPids: [] }],
  }
  const answers = new Set()
  for (const [name, given] of Object.entries(tries)) {
    try {
      await modules[name](...given)
      answers.add(name + ' worked')
    } catch (error) {
      answers.add(error.code + ': ' + error.message)
    }
  }
  console.log([...answers].join())`

test.each([
  ['darwin', 'arm64'],
  ['win32', 'x64'],
  ['linux', 'ia32'],
  ['linux', 's390x'],
])('on %s %s every module can be imported, and whatever locks or looks refuses clearly', (platform, arch) => {
  expect(run(elsewhere(platform, arch), tries)).toBe(
    `PLATFORM_UNSUPPORTED: locks and kernel leases need Linux on x64 or arm64; this is ${platform} on ${arch}`,
  )
})

test('a machine on which koffi does not load is refused in the same words, at the first call and not before', () => {
  const noKoffi = `
    import Module from 'node:module'
    const load = Module._load
    Module._load = (name, ...rest) => {
      if (name.includes('koffi')) throw new Error('no binary for this machine')
      return load(name, ...rest)
    }`
  expect(
    run(noKoffi, `try { modules.leaseOf(0) } catch (error) { console.log(error.code, error.cause.message) }`),
  ).toBe('PLATFORM_UNSUPPORTED no binary for this machine')
})

test('importing the modules loads no foreign code', () => {
  expect(
    run('', `console.log(process.report.getReport().sharedObjects.filter((name) => name.includes('koffi')).length)`),
  ).toBe('0')
})
