/** The package as somebody else installs it: in an empty folder, from the tarball, with nothing of this checkout. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeDatabase, makeFolder, type Folder } from '../support/cli/folder.ts'
import { install, machineEnvironment, runAs, type NpmRun } from '../support/npm.ts'

const tree = process.env['HOLDFAST_TREE'] ?? fileURLToPath(new URL('../..', import.meta.url))

describe('npm pack, installed into an empty folder', () => {
  let folder: Folder
  let app: string
  let tarball: string
  const run = (program: string, args: readonly string[], cwd = app): NpmRun =>
    runAs(machineEnvironment(), cwd, program, args)

  beforeAll(() => {
    folder = makeFolder()
    app = folder.in('app')
    mkdirSync(app)
    // What the build made stands already: building again would take it away from under the tests beside us.
    const packed = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder.path], tree)
    expect(packed.status, packed.stderr).toBe(0)
    tarball = folder.in(readdirSync(folder.path).find((name) => name.endsWith('.tgz')) ?? '')
    writeFileSync(join(app, 'package.json'), '{"name":"app","private":true,"type":"module"}')
    install(machineEnvironment(), app, tarball)
  }, 300_000) // A registry may be slow; that is no defect of ours.
  afterAll(() => folder[Symbol.dispose]())

  test('npx holdfast check FILE works there, and exits with the code of the result', () => {
    const file = makeDatabase(join(app, 'app.db'))
    const sound = run('npx', ['--no-install', 'holdfast', 'check', file])
    expect([
      sound.status,
      sound.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('npm warn')),
    ]).toEqual([0, []])
    expect(sound.stdout).toMatch(/app\.db +sound/)
    expect(run('npx', ['--no-install', 'holdfast', 'check', join(app, 'missing.db')]).status).toBe(1)
    expect(run('npx', ['--no-install', 'holdfast', '--version']).stdout.trim()).toBe(
      (JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')) as { version: string }).version,
    )
  })

  test("import { createGate } from 'holdfast/gate' works, and so do the schema and the API document", () => {
    writeFileSync(
      join(app, 'use.mjs'),
      `import { createGate, TenantPaused } from 'holdfast/gate'
      import schema from 'holdfast/report.schema.json' with { type: 'json' }
      import { readFileSync } from 'node:fs'
      const gate = createGate({ service: 'x', version: '1', tenants: () => [{ id: 'a', files: ['/nonexistent/a.db'] }], close: () => {}, open: () => {} })
      const said = await gate.run('a', () => 'served')
      const api = readFileSync(new URL(import.meta.resolve('holdfast/admin-api.yaml')), 'utf8')
      console.log(JSON.stringify([said, typeof TenantPaused, schema.title, api.startsWith('openapi: 3.1')]))
      await gate[Symbol.asyncDispose]()`,
    )
    const used = run('node', ['use.mjs'])
    expect(used.stdout.trim(), used.stderr).toBe(JSON.stringify(['served', 'function', 'holdfast report', true]))
  })

  test('the gate brings its types', () => {
    const types = readFileSync(join(app, 'node_modules/holdfast/dist/types/service/gate/index.d.ts'), 'utf8')
    expect(types).toMatch(/export declare function createGate/)
  })

  test('it holds the program, its documents and its licence, and neither tests nor sources', () => {
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((name) => name.replace(/^package\//, ''))
    for (const name of [
      'package.json',
      'bin/holdfast.js',
      'LICENSE',
      'README.md',
      'src/ARCHITECTURE.md',
      'dist/holdfast.cjs',
      'dist/gate.js',
      'dist/report.schema.json',
      'dist/compare.schema.json',
      'dist/status.schema.json',
      'dist/fitness.schema.json',
      'dist/admin-api.yaml',
      'dist/core.wasm',
      'dist/LICENCES.txt',
    ])
      expect(files).toContain(name)
    const permitted =
      /^(package\.json|LICENSE|README\.md|src\/ARCHITECTURE\.md|src\/(?:config|report\/status)\/README\.md|src\/service\/hooks\/README\.md|bin\/holdfast\.js|dist\/core\.wasm|dist\/LICENCES\.txt|dist\/gate\.js|dist\/[\w-]+\.(cjs|yaml|schema\.json)|dist\/types\/.*\.d\.ts)$/
    expect(files.filter((name) => !permitted.test(name))).toEqual([])
    // Nothing is left of an older build: each file is a program, or loaded by one. And none loads a program, which
    // would begin then.
    const compiled = files.filter((name) => /^dist\/[^/]+\.c?js$/.test(name)).map((name) => basename(name))
    const imported = new Set(
      compiled.flatMap(
        (name) =>
          readFileSync(join(app, 'node_modules/holdfast/dist', name), 'utf8').match(
            /(?<=["']\.\/)[\w-]+\.c?js(?=["'])/g,
          ) ?? [],
      ),
    )
    // Whatever library's code is in it, its licence is too.
    const licences = readFileSync(join(app, 'node_modules/holdfast/dist/LICENCES.txt'), 'utf8')
    const bundled = new Set(
      compiled.flatMap(
        (name) =>
          readFileSync(join(app, 'node_modules/holdfast/dist', name), 'utf8').match(
            /(?<=^\/\/ node_modules\/)(?:@[^/\n]+\/)?[^/\n]+/gm,
          ) ?? [],
      ),
    )
    expect(bundled.size).toBeGreaterThan(10)
    expect([...bundled].filter((name) => !licences.includes(`\n${name} `))).toEqual([])
    // Syntax that the oldest Node we run on does not know: no test runs on that one.
    expect(
      compiled.filter((name) =>
        /^\s*(await )?using \w+ = /m.test(readFileSync(join(app, 'node_modules/holdfast/dist', name), 'utf8')),
      ),
    ).toEqual([])
    expect(compiled.filter((name) => !imported.has(name)).toSorted()).toEqual([
      'gate.js',
      'guardian-child.cjs',
      'holdfast.cjs',
      'ledger-child.cjs',
      'probe-child.cjs',
      'reader-child.cjs',
      'resume-child.cjs',
    ])
  })

  test('nothing in it names this machine, a registry or a person', () => {
    const text = execFileSync('tar', ['-xzOf', tarball], { maxBuffer: 100_000_000, encoding: 'utf8' }).replaceAll(
      'http://localhost:9999',
      '',
    ) // Undici's.
    // The hits alone: the text is megabytes long.
    expect(
      text.match(
        /\/work\/|\/root\/|\/home\/\w+|node_modules\/\.cache|registry\.\w+\.\w|https?:\/\/registry|npmjs|:4873|_authToken|localhost:\d/g,
      ),
    ).toBe(null)
    expect(text.includes(fileURLToPath(new URL('../..', import.meta.url)))).toBe(false)
    const { scripts, dependencies } = JSON.parse(
      readFileSync(join(app, 'node_modules/holdfast/package.json'), 'utf8'),
    ) as { scripts: Record<string, string>; dependencies: Record<string, string> }
    expect(Object.keys(scripts).filter((name) => ['preinstall', 'install', 'postinstall'].includes(name))).toEqual([])
    expect(Object.values(dependencies).filter((version) => !/^[\^~]?\d/.test(version))).toEqual([])
  })
})
