/**
 * JSON that PostgreSQL takes: it refuses U+0000 and halves of surrogate pairs, which keys of rows may have. Each
 * becomes U+FFFD. The report on the host has them as they are.
 * @param json as `JSON.stringify` writes it
 */
export const storableText = (json: string): string =>
  json.replaceAll(/\\(?:u0000|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/g, (escape) =>
    escape.length === 6 && /^\\u(?:0000|d)/i.test(escape) ? '\\ufffd' : escape,
  )
