/** The style sheet of the report; colours are custom properties (palette.ts). */
export const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); scroll-behavior: smooth; scroll-padding-top: 3.5rem; -webkit-text-size-adjust: 100%; }
:root:has(#theme-light:checked) { color-scheme: light; }
:root:has(#theme-dark:checked) { color-scheme: dark; }
*, ::before, ::after { box-sizing: border-box; }
body { margin: 0 auto; padding: 0 clamp(12px, 3vw, 32px) 48px; max-width: 1264px; overflow-wrap: break-word; }
h1, h2, h3, p, figure, dl, dd, fieldset { margin: 0; }
h1 { font-size: clamp(1.6rem, 5vw, 2.4rem); line-height: 1.15; letter-spacing: -.02em; text-wrap: balance; }
h2 { font-size: 1.5rem; letter-spacing: -.01em; line-height: 1.25; }
h3 { font-size: 1rem; line-height: 1.3; }
a { color: var(--link); }
code { font: .875em ui-monospace, 'DejaVu Sans Mono', monospace; }
.soft, figcaption p, small { color: var(--soft); }
.lead { font-size: 1.15rem; margin: .4rem 0 .6rem; max-width: 46rem; }
header { padding: 28px 0 16px; }
header .soft { font-size: .9rem; }
.banner { margin-top: 14px; padding: 10px 14px; border: 1px solid var(--bad); border-left-width: 5px; border-radius: 8px; background: var(--panel); max-width: 60rem; }
.skip { position: absolute; left: -999px; }
.skip:focus { position: static; }
.theme { float: right; display: inline-flex; border: 1px solid var(--line); border-radius: 999px; padding: 2px; margin: 0 0 12px 12px; background: var(--panel); font-size: .85rem; }
.theme legend { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.theme label { cursor: pointer; }
.theme input { position: absolute; opacity: 0; width: 1px; height: 1px; }
.theme span { display: block; padding: 3px 11px; border-radius: 999px; }
.theme input:checked + span { background: var(--ink); color: var(--panel); }
.theme input:focus-visible + span, a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
nav { position: sticky; top: 0; z-index: 1; display: flex; gap: 4px 18px; overflow-x: auto; padding: 10px 0; background: var(--page); border-bottom: 1px solid var(--line); white-space: nowrap; font-size: .92rem; scrollbar-width: none; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
main > section { padding-top: 44px; }
main > section > .soft { max-width: 52rem; margin-bottom: 16px; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 14px; min-width: 0; margin-bottom: 16px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 352px), 1fr)); gap: 16px; }
.grid .panel { margin: 0; }
figcaption { margin-bottom: 8px; }
figcaption p { font-size: .82rem; line-height: 1.4; margin-top: 2px; }
.grid .panel { display: grid; grid-row: span 3; grid-template-rows: subgrid; grid-template-columns: minmax(0, 1fr); gap: 0; align-content: start; }
.picture svg { display: block; width: 100%; height: auto; overflow: visible; font-family: system-ui, sans-serif; }
.picture.any svg { max-width: 520px; margin: 0 auto; }
.picture.narrow { display: none; }
.wire { display: inline-flex; align-items: baseline; gap: 6px; white-space: nowrap; }
.wire .mark { width: .72em; height: .72em; flex: none; }
.marks { position: absolute; }
.wires-legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin-top: 14px; font-size: .9rem; color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 16px; margin-top: 20px; }
.card { margin: 0; }
.card h3 { font-weight: 500; color: var(--soft); font-size: .92rem; }
.card p { font-size: .92rem; }
.card .big { font-size: 2.3rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.2; }
.card .big span { font-size: 1.1rem; font-weight: 500; letter-spacing: 0; }
.card .bar { margin-top: 8px; }
.card .bar .what { display: inline; flex: 0 0 8.6em; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.bar { display: flex; align-items: center; gap: 8px; min-width: 0; font-size: .85rem; }
.bar .what { display: none; color: var(--soft); }
.bar .track { position: relative; flex: 1 1 auto; height: 13px; background: var(--grid); border-radius: 3px; overflow: hidden; min-width: 24px; }
.bar .track > span { position: absolute; inset: 0 auto 0 0; }
.bar .track > .part { background: rgb(0 0 0 / .36); border-right: 1px solid var(--panel); }
.bar .value { flex: 0 0 5em; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.cost-row .bar:nth-child(2) .value { flex-basis: 10.6em; text-align: left; }
.cost-row { display: grid; grid-template-columns: 9.5rem 1.6fr 1fr 1fr; gap: 2px 24px; align-items: center; padding: 2px 0; }
.cost-row > [role=rowheader] { font-size: .88rem; }
.cost-row.head { font-size: .82rem; color: var(--soft); padding-bottom: 6px; }
.cost-group { padding: 10px 0; border-top: 1px solid var(--line); }
.cost-title { padding-bottom: 4px; }
.cost-title small { margin-left: 6px; }
.legend { font-size: .88rem; color: var(--soft); margin-bottom: 12px; max-width: 60rem; }
.legend b { color: var(--ink); }
.key { display: inline-block; width: 1.4em; height: .8em; border-radius: 3px; background: var(--wire-0); position: relative; overflow: hidden; margin-left: 4px; vertical-align: baseline; }
.key.dark::after { content: ''; position: absolute; inset: 0; background: rgb(0 0 0 / .36); }
.scroll { overflow-x: auto; }
.figures { border-collapse: collapse; width: 100%; font-size: .82rem; }
.figures th, .figures td { padding: 3px 10px 3px 0; text-align: left; font-weight: 400; border-top: 1px solid var(--grid); white-space: nowrap; vertical-align: baseline; }
.figures thead th { color: var(--soft); border-top: 0; }
.figures .n { text-align: right; font-variant-numeric: tabular-nums; }
.grid .figures { font-size: .75rem; }
.grid .figures th, .grid .figures td { padding-right: 6px; }
.figures tr > :last-child { padding-right: 0; }
.goals .figures { font-size: .88rem; }
.goals .figures th, .goals .figures td { padding-top: 6px; padding-bottom: 6px; }
.goals .figures td:nth-child(4) { min-width: 130px; width: 26%; }
.goals .figures thead th:nth-child(4) { text-align: center; }
.outcome { font-weight: 600; }
.score { position: relative; display: block; height: 12px; background: linear-gradient(var(--soft), var(--soft)) 50% / 2px 100% no-repeat var(--grid); border-radius: 3px; }
.score span { position: absolute; top: 2px; bottom: 2px; background: currentColor; border-radius: 2px; min-width: 2px; }
.ranked td:nth-child(2) { width: 46%; min-width: 160px; }
.ranked .own th { font-weight: 650; }
.ranked .bar .track { min-width: 60px; }
.panel > h3 + .soft { font-size: .82rem; margin-bottom: 8px; }
.stack .figures { font-size: .78rem; }
.wires .text { white-space: normal; min-width: 12rem; }
.wires td, .wires th { padding-top: 8px; padding-bottom: 8px; vertical-align: top; }
details > summary { cursor: pointer; font-size: .88rem; color: var(--link); }
details[open] > summary { margin-bottom: 8px; }
.more { margin-top: 16px; }
figure details { margin-top: 6px; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 20px; font-size: .92rem; }
dt { color: var(--soft); }
#machine h3 { margin-top: 18px; }
#machine ul, #machine h3 + p { margin: 4px 0 0; font-size: .92rem; }
.missing { padding: 18px; border: 1px dashed var(--line); border-radius: 12px; color: var(--soft); }
footer { padding-top: 40px; font-size: .9rem; }
@media (max-width: 760px) {
  .picture.wide { display: none; }
  .picture.narrow { display: block; }
  .panel { padding: 12px; }
  .cost-row.head { display: none; }
  .cost-row { grid-template-columns: minmax(0, 1fr); padding: 5px 0; }
  .cost-row .bar .what { display: block; flex: 0 0 4em; font-size: .78rem; }
  .cost-row .bar .value, .cost-row .bar:nth-child(2) .value { flex: 0 0 5em; text-align: right; white-space: normal; line-height: 1.15; }
  .figures { font-size: .8rem; }
  .cost-row .bar small { display: block; }
  .rows thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows, .rows tbody { display: block; }
  .rows tr { display: flex; flex-wrap: wrap; gap: 2px 16px; padding: 8px 0; border-top: 1px solid var(--line); }
  .rows.figures th, .rows.figures td { border: 0; padding: 0; white-space: normal; min-width: 0; }
  .rows th, .rows .whole, .goals .rows td:nth-child(4) { flex: 1 1 100%; width: 100%; }
  .rows .whole:empty { display: none; }
  .rows th { font-weight: 600; }
  .goals .rows td:nth-child(4) { order: 1; }
  .rows [data-label]::before { content: attr(data-label) ' '; color: var(--soft); }
  .figures th, .figures td { padding-right: 8px; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: 8px; }
}
@media (prefers-reduced-motion: reduce) { :root { scroll-behavior: auto; } }
@media print { nav, .theme { display: none; } .panel { break-inside: avoid; } }
`;
