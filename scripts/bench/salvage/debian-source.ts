/** Source packages of Debian, fetched with the package sources of this machine, which stay as they are. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * @param folder that gets the files of the package
 * @param what `archive`: only the archive of upstream. `unpacked`: also a folder with Debian's changes, by dpkg-source
 * @throws if apt cannot fetch it
 */
export function fetchDebianSource(folder: string, name: string, what: 'archive' | 'unpacked'): string {
  for (const part of ['lists/partial', 'sources']) mkdirSync(join(folder, part), { recursive: true })
  copySources(join(folder, 'sources'))
  // Otherwise apt fetches as another user if we are root, and that user may not write here.
  const options = [
    'Dir::Etc::sourcelist=/dev/null',
    `Dir::Etc::sourceparts=${join(folder, 'sources')}`,
    `Dir::State::lists=${join(folder, 'lists')}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  const stdio = ['ignore', 'ignore', 'inherit'] as const
  execFileSync('apt-get', [...options, '-qq', 'update'], { stdio: [...stdio] })
  const download = what === 'archive' ? ['--download-only'] : []
  execFileSync('apt-get', [...options, '-qq', 'source', ...download, name], { cwd: folder, stdio: [...stdio] })
  const wanted = what === 'archive' ? /^\w+_.*\.orig\.tar\.\w+$/ : new RegExp(`^${name}-[\\d.]+$`)
  const found = readdirSync(folder).find((entry) => wanted.test(entry))
  if (found === undefined) throw new Error(`apt-get source has fetched no ${what} of ${name}`)
  return join(folder, found)
}

/** Copies this machine's package sources, changed so that they name source packages. */
function copySources(into: string): void {
  const known = [
    '/etc/apt/sources.list',
    ...(existsSync('/etc/apt/sources.list.d')
      ? readdirSync('/etc/apt/sources.list.d').map((name) => join('/etc/apt/sources.list.d', name))
      : []),
  ]
  for (const path of known.filter((path) => /\.(?:list|sources)$/.test(path) && existsSync(path))) {
    writeFileSync(
      join(into, basename(path)),
      readFileSync(path, 'utf8')
        .replace(/^deb(?=\s)/gm, 'deb-src')
        .replace(/^Types:.*$/gm, 'Types: deb-src'),
    )
  }
}
