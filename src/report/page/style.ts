/** The style of the page: for screens of any width, light and dark, and for paper. */
import { Html } from './html.ts'

export const style = Html.ofOurs(`
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f3f5f7; --ink: #1a1d21; --soft: #4d5661; --line: #c9d0d8; --link: #0b57c2;
  --good: #146c2e; --bad: #b3161b; --doubt: #8a5300; --accent: #b3161b;
  --sound: #8fc7a0; --damaged: #c4161c; --failed: #6b4fa3; --inconclusive: #d18a00; --pausing: #000000; --left: #b5bcc4;
  --mark: #ffffff;
  --owner0: #3b7dd8; --owner1: #2c9c8f; --owner2: #8a6fd1; --owner3: #7d9c2c; --owner4: #c77f3a; --owner5: #b05fa0;
  --other: #8d97a3; --free: #e2e6ea; --reserved: #c2c9d1; --unread: #d18a00; --unowned: #6b4fa3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --panel: #1f242a; --ink: #e8ebee; --soft: #a9b3bf; --line: #3b444e; --link: #8ab8ff;
    --good: #7ad295; --bad: #ff8a84; --doubt: #f2b95a; --accent: #ff8a84;
    --sound: #3f7f55; --damaged: #f0524d; --failed: #a88be0; --inconclusive: #e0a030; --pausing: #ffffff;
    --left: #59626d; --mark: #14171b;
    --owner0: #5b96e6; --owner1: #45b3a5; --owner2: #a18ae0; --owner3: #9ab94a; --owner4: #d99655; --owner5: #c67fb8;
    --other: #707b88; --free: #2a3037; --reserved: #47505a; --unread: #e0a030; --unowned: #a88be0;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem; overflow-wrap: anywhere; }
header { border-top: .4rem solid var(--good); }
.grave header { border-color: var(--bad); }
.unclear header { border-color: var(--doubt); }
.brand { margin: 1rem 0 0; color: var(--soft); font-weight: 600; }
h1 { margin: .25rem 0 1rem; font-size: clamp(1.6rem, 5vw, 2.4rem); line-height: 1.2; }
.grave h1 { color: var(--bad); }
.unclear h1 { color: var(--doubt); }
.well h1 { color: var(--good); }
h2 { margin: 2rem 0 .75rem; font-size: 1.35rem; line-height: 1.25; }
h3 { margin: 0 0 .5rem; font-size: 1.1rem; line-height: 1.3; }
p, ul, ol { margin: .5rem 0; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, summary:focus-visible, .scroll:focus-visible {
  outline: .2rem solid var(--link); outline-offset: .15rem;
}
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--ground); padding: .5rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
dl { margin: .5rem 0; }
dl > div { display: grid; grid-template-columns: 9rem 1fr; gap: .25rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; }
.rule { white-space: nowrap; }
.loud { font-weight: 700; color: var(--bad); }
.now { background: var(--panel); border-radius: .5rem; padding: .25rem 1rem; }
.now h2 { margin-top: .75rem; }
.now li { margin: .5rem 0; }
.code, .path, .rule, .where, .run { color: var(--soft); font-size: .9rem; }
.command { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .35rem 0; }
code, .run, .rule { font-family: ui-monospace, "Cascadia Mono", "Liberation Mono", Menlo, monospace; font-size: .9rem; }
.command code {
  flex: 1 1 16rem; min-width: 0; padding: .5rem .75rem; background: var(--ground); border: 1px solid var(--line);
  border-radius: .35rem; white-space: pre-wrap; overflow-wrap: anywhere;
}
article .command code { background: var(--panel); }
button.copy {
  min-width: 5.5rem; min-height: 2.5rem; padding: .25rem .75rem; font: inherit; color: var(--ink);
  background: var(--ground); border: 1px solid var(--soft); border-radius: .35rem; cursor: pointer;
}
.legend { display: flex; flex-wrap: wrap; gap: .35rem 1.5rem; padding: 0; list-style: none; }
figure { margin: .75rem 0; }
figcaption { color: var(--soft); font-size: .9rem; }
.picture { display: block; max-width: 100%; height: auto; }
.swatch { width: 1rem; height: 1rem; vertical-align: -.15rem; }
.sq { fill: var(--other); }
.mark { fill: none; stroke: var(--mark); stroke-width: 1.4; }
.sound { fill: var(--sound); } .damaged { fill: var(--damaged); } .failed { fill: var(--failed); }
.inconclusive { fill: var(--inconclusive); } .paused { fill: var(--pausing); } .notCovered { fill: var(--left); }
.owner0 { fill: var(--owner0); } .owner1 { fill: var(--owner1); } .owner2 { fill: var(--owner2); }
.owner3 { fill: var(--owner3); } .owner4 { fill: var(--owner4); } .owner5 { fill: var(--owner5); }
.free { fill: var(--free); } .reserved { fill: var(--reserved); } .behind { fill: var(--reserved); }
.unread { fill: var(--unread); } .unowned { fill: var(--unowned); } .disagreeing { fill: var(--damaged); }
.tip { fill: transparent; }
article { margin: 1rem 0; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; }
article h3 { font-size: 1.2rem; }
.word {
  display: inline-block; padding: 0 .45rem; border: 2px solid currentColor; border-radius: .3rem; font-size: .95rem;
}
.word.damaged, .word.failed { color: var(--bad); }
.word.inconclusive { color: var(--doubt); }
.findings li { margin: .35rem 0; }
details { margin: .75rem 0; }
summary { cursor: pointer; padding: .25rem 0; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .95rem; overflow-wrap: normal; }
table bdi { overflow-wrap: anywhere; }
tbody th { min-width: 8rem; }
.bars tbody th, .history tbody th { min-width: 0; white-space: nowrap; }
caption { text-align: left; padding: .25rem 0; color: var(--soft); }
th, td {
  padding: .3rem .75rem .3rem 0; text-align: left; vertical-align: top; font-weight: 400;
  border-bottom: 1px solid var(--line);
}
thead th { color: var(--soft); border-bottom-width: 2px; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 700; }
.tenants { width: 100%; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 2.5rem; }
.bars { width: 100%; }
.bars th[scope=row] { width: 1%; }
.bars td.n { width: 1%; }
.bar svg { display: block; width: 100%; height: 1rem; margin-top: .2rem; }
.bar rect { fill: var(--owner0); }
footer { margin-top: 2rem; padding-bottom: 2rem; color: var(--soft); font-size: .9rem; }
@media (max-width: 34rem) {
  dl > div { grid-template-columns: 1fr; gap: 0; margin-bottom: .35rem; }
  article { padding: .75rem; }
  .command code { flex-basis: 100%; }
}
@media print {
  :root {
    color-scheme: light; --ground: #fff; --panel: #fff; --ink: #000; --soft: #333; --line: #999; --link: #000;
    --mark: #fff; --good: #0b4a1e; --bad: #8a0f13; --doubt: #5e3900;
  }
  html { font-size: 10pt; }
  button, .skip { display: none !important; }
  .now { border: 1px solid var(--line); }
  figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .sq, .bar rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`)
