/**
 * A path as the outbox and the fleet's database have it. Both take UTF-8 only, and so would give two names that differ
 * in other bytes the same text. Here what they do not take becomes U+FFFD and four hex digits, and U+FFFD itself is
 * written twice: two paths never have the same text.
 * @param path as `nameOf` writes it (host/files/file-name.ts): U+DC80 to U+DCFF for a byte that is not UTF-8
 */
export const storedPath = (path: string): string =>
  path.replaceAll(/[\0\ufffd\ud800-\udfff]/gu, (letter) =>
    letter === '\ufffd' ? '\ufffd\ufffd' : `\ufffd${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
