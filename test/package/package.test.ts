/** The package as somebody else installs it: in an empty folder, from the tarball, with nothing of this checkout. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeDatabase, makeFolder, type Folder } from '../support/cli/folder.ts'
import { install, machineEnvironment, runAs, type NpmRun } from '../support/npm.ts'

const tree = process.env['HOLDFAST_TREE'] ?? fileURLToPath(new URL('../..', import.meta.url))

/** `import … from 'x'`, `import 'x'`, `import('x')`, and `require('x')` of a function that createRequire made. */
const importing =
  /(?:^(?:import|export)\b[^"'`;]*?|\bimport\(|\brequire\$?\d*\(|\bcreateRequire\([^()]*\)\()["']([^"'\n]+)["']/gm

/** Paths of this machine, addresses of a registry, and secrets. */
const machineOrPerson = [
  '/work/|/root/|/home/\\w+|node_modules/\\.cache',
  'registry\\.(?!tenants\\.)\\w+\\.\\w|https?://registry|npmjs|:4873|_authToken|localhost:\\d',
].join('|')

/** `zod` of `zod/mini`. */
const packageOf = (path: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path

/** What `npm ls --json` prints. */
interface ListedPackage {
  readonly dependencies?: Readonly<Record<string, ListedPackage>>
}

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
  }) // A registry may be slow; that is no defect of ours.
  afterAll(() => folder[Symbol.dispose]())
  const textOf = (name: string): string => readFileSync(join(app, 'node_modules/holdfast/dist', name), 'utf8')
  const importsOf = (name: string): readonly string[] =>
    [...textOf(name).matchAll(importing)].map(([, path]) => path ?? '')

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
      const tenants = () => [{ id: 'a', files: ['/nonexistent/a.db'] }]
      const gate = createGate({ service: 'x', version: '1', tenants, close: () => {}, open: () => {} })
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
      'dist/holdfast.js',
      'dist/gate.js',
      'dist/report.schema.json',
      'dist/compare.schema.json',
      'dist/account.schema.json',
      'dist/status.schema.json',
      'dist/fitness.schema.json',
      'dist/admin-api.yaml',
      'dist/core.wasm',
    ])
      expect(files).toContain(name)
    const permitted = new RegExp(
      '^(package\\.json|LICENSE|README\\.md|src/ARCHITECTURE\\.md|src/fleet/SETUP\\.md|' +
        'src/(?:alarm|backup|config|fleet|fleet/coordinator|fleet/pause|report|report/fleet)/README\\.md|' +
        'src/report/status/README\\.md|' +
        'src/service/(?:files|hooks)/README\\.md|' +
        'bin/holdfast\\.js|dist/core\\.wasm|dist/holdfast\\.1|' +
        'dist/grafana-(?:fleet-)?dashboard\\.json|dist/[\\w-]+\\.(js|yaml|schema\\.json)|dist/types/.*\\.d\\.ts)$',
    )
    expect(files.filter((name) => !permitted.test(name))).toEqual([])
    const compiled = files.filter((name) => /^dist\/[^/]+\.js$/.test(name)).map((name) => basename(name))
    // Nothing is left of an older build: each file is a program, or loaded by one. No file loads a program, which would
    // start then.
    const loaded = new Set(compiled.flatMap((name) => importsOf(name).filter((one) => one.startsWith('./'))))
    // Syntax that the oldest Node we run on does not know: no test runs on that one.
    expect(compiled.filter((name) => /^\s*(await )?using \w+ = /m.test(textOf(name)))).toEqual([])
    expect(compiled.filter((name) => !loaded.has(`./${name}`)).toSorted()).toEqual([
      'chunk-child.js',
      'compress-child.js',
      'gate.js',
      'guardian-child.js',
      'holdfast.js',
      'ledger-child.js',
      'mender-child.js',
      'merge-child.js',
      'probe-child.js',
      'reader-child.js',
      'resume-child.js',
      'salvage-child.js',
    ])
  })

  test('npm knows every library that runs: all imports are declared, and all dependencies are imported', () => {
    const { dependencies, devDependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync(join(app, 'node_modules/holdfast/package.json'), 'utf8'),
    ) as Record<
      'dependencies' | 'devDependencies' | 'peerDependencies' | 'peerDependenciesMeta',
      Record<string, string>
    >
    const declared = Object.keys(dependencies)
    const ofFleet = Object.keys(peerDependencies)
    const programs = readdirSync(join(app, 'node_modules/holdfast/dist')).filter((name) => name.endsWith('.js'))
    const libraries = programs.flatMap(importsOf).filter((one) => !/^(\.|node:)/.test(one))
    expect(new Set(libraries.map(packageOf))).toEqual(new Set([...declared, ...ofFleet]))
    // An exact version each: the tables of another one may be of another shape.
    expect(Object.values(peerDependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
    expect(peerDependenciesMeta).toEqual(Object.fromEntries(ofFleet.map((name) => [name, { optional: true }])))
    // An inner path of a library is no promise of its makers.
    const inner = new Set(libraries.filter((one) => one !== packageOf(one)))
    expect([...inner]).toEqual(['zod/mini'])
    expect(Object.keys(devDependencies).filter((name) => declared.includes(name))).toEqual([])
    expect(importsOf('gate.js').filter((one) => !one.startsWith('node:'))).toEqual([])

    const listed = run('npm', ['ls', '--omit=dev', '--all', '--json'])
    expect(listed.status, listed.stderr).toBe(0)
    const [holdfast] = Object.values((JSON.parse(listed.stdout) as ListedPackage).dependencies ?? {})
    // npm lists packages of the fleet that may be missing, too.
    const ownDependencies = Object.keys(holdfast?.dependencies ?? {}).filter((name) => !ofFleet.includes(name))
    expect(ownDependencies.toSorted()).toEqual(declared.toSorted())
    // What npm installed is what it lists: no package comes that only the tests need.
    const installed = readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.'))
    const ofTests = ['vitest', 'typescript', 'rolldown', 'node', 'undici', '@electric-sql', ...ofFleet]
    expect(installed.filter((name) => ofTests.includes(name))).toEqual([])
  })

  test('without the packages of the fleet its commands say what to install, and all else works', () => {
    mkdirSync(join(app, 'tenants'))
    const config = (database: string): string => {
      const file = join(app, `holdfast-${database.slice(0, 6)}.yaml`)
      const settings = {
        service: { name: 'notes', admin: `unix:${join(app, 'admin.sock')}` },
        tenants: { roots: [join(app, 'tenants')] },
        ledger: { dir: join(app, 'ledger') },
        snapshots: { dir: join(app, 'snapshots') },
        fleet: { database, host: 'db7' },
      }
      writeFileSync(file, JSON.stringify(settings), { mode: 0o600 })
      return file
    }
    const embedded = config(`pglite:${join(app, 'fleet')}`)
    const server = config('postgres://holdfast@db.example/holdfast')
    for (const words of [
      ['agent'],
      ['coordinator'],
      ['agent', '--coordinator'],
      ['fleet', 'status'],
      ['fleet', 'compare', 'a'],
    ])
      for (const file of [embedded, server]) {
        const { status, stderr } = run('npx', ['--no-install', 'holdfast', ...words, '--config', file])
        expect([words, status, stderr]).toEqual([
          words,
          78,
          expect.stringMatching(/npm install \S+@\d+\.\d+\.\d+/) as string,
        ])
      }
    // A local command on a host of a fleet needs neither the packages nor the database.
    const { status } = run('npx', ['--no-install', 'holdfast', 'install', 'systemd', '--agent', '--config', embedded])
    expect(status).toBe(0)
    expect(run('npx', ['--no-install', 'holdfast', 'history', '--config', server]).status).toBe(0)
  })

  test('nothing in it names this machine, a registry or a person', () => {
    const text = execFileSync('tar', ['-xzOf', tarball], { maxBuffer: 100_000_000, encoding: 'utf8' })
    // The hits alone: the text is megabytes long.
    expect(text.match(new RegExp(machineOrPerson, 'g'))).toBe(null)
    expect(text.includes(fileURLToPath(new URL('../..', import.meta.url)))).toBe(false)
    const { scripts, dependencies } = JSON.parse(
      readFileSync(join(app, 'node_modules/holdfast/package.json'), 'utf8'),
    ) as { scripts: Record<string, string>; dependencies: Record<string, string> }
    expect(Object.keys(scripts).filter((name) => ['preinstall', 'install', 'postinstall'].includes(name))).toEqual([])
    expect(Object.values(dependencies).filter((version) => !/^[\^~]?\d/.test(version))).toEqual([])
  })
})
