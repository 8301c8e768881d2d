#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

process.on('SIGUSR1', () => {}) // Else Node would open its debugger, for anybody on this machine.
process.on('SIGXFSZ', () => {}) // Else a file that grows beyond `ulimit -f` would kill us; so its write fails.
/** Codes of Node for a file of a program or of a library that it cannot find or read. */
const cannotLoad = /^(?:ERR_)?(?:MODULE_NOT_FOUND|INVALID_PACKAGE_CONFIG|DLOPEN_FAILED)$/
const [major, minor] = process.versions.node.split('.').map(Number)
const program = fileURLToPath(new URL('../dist/holdfast.js', import.meta.url))
if (major < 22 || (major === 22 && minor < 15)) {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  const itsOwn = existsSync(`${folder}node_modules/.bin/node`)
    ? `; \`npx holdfast\` in ${folder} uses a Node of its own`
    : ''
  console.error(`holdfast needs Node.js 22.15 or newer; this is ${process.version} (nothing was touched)${itsOwn}`)
  process.exitCode = 78
} else await load()

async function load() {
  try {
    await import(pathToFileURL(program))
  } catch (error) {
    if (isMissing(error) && !existsSync(program)) {
      console.error(
        `holdfast is not built here: run \`npm run setup\` in ${fileURLToPath(new URL('..', import.meta.url))}`,
      )
      process.exitCode = 78
      return
    }
    // A disk that fails, no descriptor left, or libraries that were not installed. Anything else is a defect.
    if (typeof error.errno !== 'number' && !cannotLoad.test(error.code)) throw error
    console.error(`holdfast cannot load its own program: ${error.message.split('\n')[0]}`)
    if (isMissing(error)) console.error('  next: `npm run setup` in its folder, or install the package again')
    process.exitCode = 1
  }
}

function isMissing({ code }) {
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND'
}
