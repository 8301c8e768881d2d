/** What each key of the section `live` means. */

import type { KeyMeaning } from './key-meaning.ts'

export const liveKeyMeanings: Readonly<Record<string, KeyMeaning>> = {
  'live.pinWait': {
    means:
      'How long holdfast waits for its place among the locks of a database in use. ' +
      'Nothing of the program waits meanwhile. After this time the file is busy (LOCK_BUSY), with exit code 75.',
    default: '3s',
    example: '10s',
  },
  'live.maxPin': {
    means:
      'How long holdfast may keep its locks for a pinned snapshot. If the copy takes longer, it is given up. ' +
      'The guardian ends a frozen holdfast after this time. ' +
      'In WAL mode a longer pin costs WAL: it grows until the pin ends, and one later commit writes it back.',
    default: '5s',
    example: '20s',
  },
  'live.maxWalGrowth': {
    means:
      'How many bytes the WAL may grow while the pin stands. If it grows more, holdfast lets go and deletes its ' +
      'copy. ' +
      'One later commit of the program takes about 1 ms for each MB.',
    default: '64MB',
    example: '256MB',
  },
  'live.maxWriterWait': {
    means:
      'How long a commit of a database with a rollback journal may wait for the copy. ' +
      'holdfast predicts it, and refuses a file whose copy would take longer (TOO_LARGE_FOR_PAUSE). ' +
      'In WAL mode no commit waits.',
    default: '500ms',
    example: '2s',
  },
}
