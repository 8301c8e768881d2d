#!/usr/bin/env node
import { createRequire } from 'node:module'

process.on('SIGUSR1', () => {}) // Else Node would open its debugger, for anybody on this machine.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 15)) {
  console.error(`holdfast needs Node.js 22.15 or newer; this is ${process.version} (nothing was touched)`)
  process.exitCode = 78
} else createRequire(import.meta.url)('../dist/holdfast.cjs')
