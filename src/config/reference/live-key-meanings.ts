/** What each key of the section `live` means. */

import type { KeyMeaning } from './key-meaning.ts'

export const liveKeyMeanings: Readonly<Record<string, KeyMeaning>> = {
  'live.pinWait': {
    means:
      'How long holdfast tries to get its locks on a database in use. ' +
      'The program does not wait meanwhile. After this time the file is busy (LOCK_BUSY), with exit code 75.',
    default: '3s',
    example: '10s',
  },
  'live.maxPin': {
    means:
      'How long holdfast may keep its locks for a pinned snapshot. If the copy takes longer, holdfast releases the ' +
      'locks and deletes the copy (TOO_LARGE_FOR_PAUSE). The guardian kills a frozen holdfast a second after this ' +
      'time. In WAL mode the WAL grows until the locks end. One later commit then writes it into the main file.',
    default: '5s',
    example: '20s',
  },
  'live.maxWalGrowth': {
    means:
      'How many bytes the WAL may grow while holdfast copies. If it grows more, holdfast releases its locks and ' +
      'deletes the copy (NO_SPACE). One later commit of the program takes about 1 ms longer for each MB.',
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
