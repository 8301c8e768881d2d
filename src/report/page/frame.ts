/** What begins and ends every page. A page has its own style and script, and its policy allows nothing else. */
import { createHash } from 'node:crypto'
import { html, Html } from './html.ts'
import { script } from './script.ts'
import { style } from './style.ts'

/** No source but what is in the page: not even its own style runs if a letter of it was changed. */
export function headHtml(title: string): Html {
  const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const policy =
    `default-src 'none'; style-src ${digest(style.text)}; script-src ${digest(script.text)}; ` +
    `base-uri 'none'; form-action 'none'`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${Html.ofOurs(policy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${Html.ofOurs(`<style>${style.text}</style>`)}
      </head>
     `
}

/** @param has what the page has of tenants, as a sentence */
export const footHtml = (version: string, has: string): Html => html`
</main>
<footer>
<p>Made by holdfast ${version}. ${has}</p>
</footer>
<p id="said" class="unseen" role="status"></p>
${Html.ofOurs(`<script>${script.text}</script>`)}
</body>
</html>
`
