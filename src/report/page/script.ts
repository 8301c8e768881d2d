/** The script of the page: it copies commands, and opens what is folded before the page is printed. */
import { Html } from './html.ts'

export const script = Html.ofOurs(`
'use strict';
const said = document.getElementById('said');
const select = (code) => {
  const range = document.createRange();
  range.selectNodeContents(code);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
};
for (const button of document.querySelectorAll('button.copy')) {
  const code = button.previousElementSibling;
  button.hidden = false;
  button.setAttribute('aria-label', 'Copy the command ' + code.textContent);
  button.addEventListener('click', async () => {
    let done = false;
    try {
      await navigator.clipboard.writeText(code.textContent);
      done = true;
    } catch {
      select(code);
      done = document.execCommand('copy');
    }
    button.textContent = done ? 'Copied' : 'Selected';
    said.textContent = done ? 'The command was copied.' : 'The command is selected: copy it with the keyboard.';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
}
let opened = [];
addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('details:not([open])')];
  for (const one of opened) one.open = true;
});
addEventListener('afterprint', () => {
  for (const one of opened) one.open = false;
});
`)
