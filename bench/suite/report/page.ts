/**
 * The report: one page that needs nothing else. No script runs in it and its policy lets nothing load, so
 * that whatever a result says, it is text.
 */
import type { Results } from '../results.js';
import { machineSection, runsTable, wiresSection } from './about.js';
import { flowsSection, gcSection, latencySection, lossSection } from './charts.js';
import { type Context, contextOf, wireMarks, wireTag } from './context.js';
import { costSection } from './costs.js';
import { moment } from './format.js';
import { goalsSection, ratiosTable } from './goals-section.js';
import { headlines } from './headline.js';
import { type Html, html, trusted } from './html.js';
import { paletteStyle } from './palette.js';
import { peersSection } from './peers-section.js';
import { STYLE } from './style.js';
import { machineLine } from './summary.js';

interface Section {
  id: string;
  title: string;
  about: string;
  body: Html;
}

/** Where the page of these results is, unless told otherwise. */
export function pageFile(results: string): string {
  return `${results.replace(/\.json$/, '')}.html`;
}

/** The whole document. */
export async function page(results: Results): Promise<string> {
  const context = contextOf(results);
  const sections = await sectionsOf(context);
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>ggscale-transport benchmark, ${moment(results.date)}</title>
<style>${trusted(`:root {\n${paletteStyle(context.styles)}\n}\n${STYLE}`)}</style>
</head>
<body>
${wireMarks(context)}
<a class="skip" href="#goals">Skip to the figures</a>
<header>
${themeChoice()}
<h1>ggscale-transport benchmark</h1>
<p class="lead">The whole server process, JavaScript included, on each wire, in one run. Ours carries encryption, reliability and FlatBuffers.</p>
<p class="soft">${machineLine(results)}.<br><code>${results.command}</code>, ${moment(results.date)}.</p>
${results.note !== undefined && html`<p class="banner" role="note">${results.note}</p>`}
</header>
<nav aria-label="Sections">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav>
<main>
${headlines(context)}
<p class="wires-legend" aria-hidden="true">${context.wires.map((wire) => wireTag(context, wire))}</p>
${sections.map(
  ({
    id,
    title,
    about,
    body,
  }) => html`<section id="${id}"><h2>${title}</h2><p class="soft">${about}</p>
${body}</section>
`,
)}
</main>
<footer><p class="soft">Made by <code>npm run bench:report</code>; method and words in bench/README.md.</p></footer>
</body>
</html>
`;
  return document.text;
}

async function sectionsOf(context: Context): Promise<Section[]> {
  const peers = peersSection(context);
  return [
    {
      id: 'goals',
      title: 'Goals',
      about:
        'What is aimed at, and what this run measured. Ratios of CPU are medians of interleaved rounds. Absolute figures belong to this machine.',
      body: html`${goalsSection(context)}${ratiosTable(context)}`,
    },
    {
      id: 'cost',
      title: 'Cost per message',
      about:
        'CPU of the server process, user and system, all threads; bytes both ways, with the headers of IP, UDP or TCP and with acknowledgements; bytes that the JavaScript heap grew by.',
      body: costSection(context),
    },
    ...(peers === null
      ? []
      : [
          {
            id: 'peers',
            title: 'Other transports',
            about:
              'The same echo, cheapest first. A transport that does less should cost less: what each lacks stands below.',
            body: peers,
          },
        ]),
    {
      id: 'latency',
      title: 'Latency',
      about:
        'Counted from when a message was meant to leave, so that a server which stalls is charged for what waits. In the game, until a snapshot has seen the inputs of all four players.',
      body: await latencySection(context),
    },
    {
      id: 'gc',
      title: 'Garbage collection',
      about: 'Pauses of the server’s JavaScript thread, all strips with the same axes.',
      body: await gcSection(context),
    },
    {
      id: 'loss',
      title: 'Packet loss',
      about: 'All wires at the same time over one lossy link; TCP is the kernel’s own.',
      body: await lossSection(context),
    },
    {
      id: 'flows',
      title: 'Number of flows',
      about: 'What more clients cost: a flat line is one that costs the same as the last.',
      body: await flowsSection(context),
    },
    {
      id: 'wires',
      title: 'What each wire is',
      about: 'And what it lacks: a wire that does less should cost less.',
      body: wiresSection(context),
    },
    {
      id: 'machine',
      title: 'Machine and runs',
      about: 'Compare ratios within one run only.',
      body: html`${machineSection(context)}${runsTable(context)}`,
    },
  ];
}

/** Without a script: the style sheet looks at which one is checked. */
function themeChoice(): Html {
  const themes = ['auto', 'light', 'dark'].map(
    (theme) =>
      html`<label><input type="radio" name="theme" id="theme-${theme}" autocomplete="off"${theme === 'auto' && html` checked`}><span>${theme}</span></label>`,
  );
  return html`<fieldset class="theme"><legend>Theme</legend>${themes}</fieldset>`;
}
