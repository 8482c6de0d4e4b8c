/** A process that `Child` started ends with the main process, which alone decides what a signal means. */
export function endWithMain(): void {
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => {});
}
