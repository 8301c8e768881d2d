/**
 * HTML that cannot be injected into. Text from databases and services is untrusted: every text that is put into a piece
 * of HTML is made printable and escaped. Only pieces of HTML that were made here go in as they are.
 */
import { breakable } from '../../text/layout.ts'
import { printableSentence } from '../../text/printable.ts'

/** A piece of HTML whose tags were all written in this program. */
export class Html {
  readonly text: string

  private constructor(text: string) {
    this.text = text
  }

  /** For texts of this program alone, such as its style: nothing is escaped. */
  static ofOurs(text: string): Html {
    return new Html(text)
  }
}

type Part = Html | string | number | readonly Html[]

/** Template of HTML. It is safe in text and in attributes with quotes; style and script take no text. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const shown = parts.map((part) => (typeof part === 'object' ? joinHtml(part) : escapeText(String(part))))
  // The formatter indents templates; a page needs no indentation.
  return Html.ofOurs(String.raw({ raw: pieces.map((piece) => piece.replaceAll(/\s*\n\s*/g, '\n')) }, ...shown))
}

const joinHtml = (part: Html | readonly Html[]): string =>
  part instanceof Html ? part.text : part.map(({ text }) => text).join('')

const escapeText = (text: string): string =>
  printableSentence(breakable(text)).replaceAll(/[&<>"'`]/g, (letter) => entities[letter] ?? '')

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

export const nothing = Html.ofOurs('')

/** A name of a tenant, a file or an object, apart from the direction of the text around it. */
export const nameHtml = (name: string): Html => html`<bdi>${name}</bdi>`

/** A command to copy. The script of the page shows the button. */
export const commandHtml = (command: string): Html =>
  html`<div class="command"><code>${command}</code><button type="button" class="copy" hidden>Copy</button></div>`

export const factsHtml = (facts: readonly (readonly [term: string, fact: string])[]): Html =>
  html`<dl>
    ${facts.map(
      ([term, fact]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${fact}</dd>
        </div> `,
    )}
  </dl> `
