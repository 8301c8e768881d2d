/**
 * Writes the reference of the configuration, src/config/README.md, from the schema and the meanings of its keys
 * (`npm run reference`). A test compares the file with what this makes.
 */
import { writeFileSync } from 'node:fs'
import { fileBytesMax } from '../../src/config/load.ts'
import { explainKeys } from '../../src/config/reference/explain-keys.ts'
import { sectionMeanings } from '../../src/config/reference/section-meanings.ts'
import type { Explanation } from '../../src/diagnosis/explain/explain.ts'
import { valueOf } from '../../src/report/text/explanation.ts'
import { wrap } from '../../src/text/layout.ts'

export const referenceFile = new URL('../../src/config/README.md', import.meta.url)

const proseWidth = 120

export function renderReference(): string {
  const topics = explainKeys()
  return `${[
    '<!-- Made by `npm run reference`. Change src/config/reference/key-meanings.ts or schema.ts instead. -->',
    '# Configuration',
    '',
    ...prose(
      'holdfast reads the file named with `--config FILE`, else `holdfast.yaml` in the current folder, else ' +
        '`/etc/holdfast/holdfast.yaml`. A bare `check FILE` needs no ' +
        'configuration. `holdfast explain KEY` prints an entry of this page.',
    ),
    '',
    ...prose(
      `The file is YAML of at most ${fileBytesMax.toLocaleString('en-US')} bytes, without anchors, aliases and tags. ` +
        'It must belong to root or to the user that runs holdfast, ' +
        'and no other user may be able to change it. holdfast refuses an ' +
        'unknown key, and names its line and the nearest known key.',
    ),
    '',
    ...prose(
      'Relative paths count from the folder of the file. Durations and sizes need a unit: `30s`, `8MB`. ' +
        '`kB` is 1000 bytes and `KiB` is 1024. A command is a list of words and runs without a shell.',
    ),
    '',
    '## The shortest configuration',
    '```yaml',
    `service: { ${shortService} }`,
    `tenants: { ${shortTenants} }`,
    '```',
    '',
    '## The same with all defaults written out',
    '```yaml',
    ...withDefaults(topics),
    '```',
    ...topics.flatMap((topic) => (topic.value === undefined ? section(topic.topic) : key(topic, topic.value))),
  ].join('\n')}\n`
}

const shortService = 'name: notes, admin: unix:/run/notes/admin.sock'
const shortTenants = 'roots: [/srv/notes]'

const prose = (text: string): readonly string[] => wrap(text, proseWidth)

const section = (name: string): readonly string[] => [
  '',
  `## \`${name}\``,
  ...prose(withLinks(sectionMeanings[name] ?? '')),
]

/** Files of the repository are named from its root; this page lies in src/config/. */
const withLinks = (text: string): string => text.replaceAll(/src\/(\S+\.md)/g, '[$&](../$1)')

const key = ({ topic, means }: Explanation, value: NonNullable<Explanation['value']>): readonly string[] => [
  '',
  `${topic.includes('.') ? '###' : '##'} \`${topic}\``,
  ...prose(withLinks(means)),
  '',
  ...valueOf(value).flatMap(([label, text]) =>
    isCode(label, value) ? [`- ${label}: \`${text}\``] : hangingItem(`${label}: ${text}`),
  ),
]

/** An item of a list, on as many lines as it needs. */
const hangingItem = (text: string): readonly string[] =>
  wrap(text, proseWidth - 2).map((line, at) => `${at === 0 ? '-' : ' '} ${line}`)

/** What could stand in the file is set as code. */
const isCode = (label: string, value: NonNullable<Explanation['value']>): boolean =>
  label === 'example' || (label === 'default' && value.default !== null)

/**
 * One line a section. Hooks are another way to reach the service, so theirs are left out; so are backups and the
 * fleet, which need a folder or a database that has no default.
 */
function withDefaults(topics: readonly Explanation[]): readonly string[] {
  const given: Readonly<Record<string, string>> = { service: shortService, tenants: shortTenants }
  const keys = topics.filter(
    ({ topic, value }) => typeof value?.default === 'string' && !/^(?:service\.hooks|backups|fleet)\./.test(topic),
  )
  const bySection = Map.groupBy(keys, ({ topic }) => topic.split('.')[0] ?? '')
  return [...bySection].map(([name, members]) => {
    const [first] = members
    if (first?.topic === name) return `${name}: ${first.value?.default}` // A key without a section.
    const defaults = members.map(({ topic, value }) => `${topic.slice(name.length + 1)}: ${value?.default}`)
    return `${name}: { ${[...(given[name] === undefined ? [] : [given[name]]), ...defaults].join(', ')} }`
  })
}

if (import.meta.main) writeFileSync(referenceFile, renderReference())
