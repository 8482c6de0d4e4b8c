// Brings the checkout up to date: dependencies, native parts, compiled TypeScript. `npm start` and
// `npm test` run it first. Everything it says goes to stderr; when all is fresh it says nothing.
//
// Only this check runs on an old Node, hence the plain syntax and the import after it.
const wantedMajor = 20;

if (Number(process.version.slice(1).split('.')[0]) < wantedMajor) {
  console.error(
    `setup: Node.js ${wantedMajor} or newer is needed, this is ${process.version}: ` +
      'get it from https://nodejs.org, then run this again',
  );
  process.exitCode = 1;
} else {
  import('./lib/setup-steps.mjs')
    .then((steps) => steps.main())
    .catch((error) => {
      console.error(`setup: ${error.message}`);
      process.exitCode = 1;
    });
}
