#!/usr/bin/env node
import { createRequire } from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 15)) {
  console.error(`holdfast needs Node.js 22.15 or newer; this is ${process.version} (nothing was touched)`)
  process.exitCode = 78
} else createRequire(import.meta.url)('../dist/holdfast.cjs')
