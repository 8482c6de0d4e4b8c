/** Says why the addon is refused. With the argument `node`, Node says that it is Bun. */
const { versions } = process;
if (process.argv[2] === 'node') {
  Object.defineProperty(process, 'versions', { value: { ...versions, bun: '1.2.0' } });
}
const { loadBinding } = await import('../../../src/addon/load-binding.js');
try {
  loadBinding();
  process.stdout.write('loaded\n');
} catch (error) {
  process.stdout.write(`${(error as { code: string }).code}\n`);
}
