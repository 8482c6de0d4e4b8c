/** A load as the main process sees it: a process that answers. */
import { Child } from './child.js';
import type { LoadAnswer, LoadFigures, LoadOrder, LoadSetup } from './messages.js';

export class LoadChild extends Child {
  /** The newest figures. */
  figures: LoadFigures | null = null;

  constructor(name: string) {
    super(name, 'churn/load-process.js', '', []);
    this.process.on('message', (answer: LoadAnswer) => {
      if (answer.kind !== 'ready') this.figures = answer.figures;
    });
  }

  async setUp(setup: LoadSetup): Promise<void> {
    const ready = this.next<LoadAnswer>('ready');
    this.tell({ kind: 'setup', setup });
    await ready;
  }

  start(order: LoadOrder): void {
    this.tell({ kind: 'start', order });
  }

  /** Resolves when the last visit is over. */
  async stop(): Promise<LoadFigures> {
    const done = this.next<LoadAnswer & { kind: 'done' }>('done');
    this.tell({ kind: 'stop' });
    return (await done).figures;
  }

  /** It has nothing to say goodbye to. */
  override async end(): Promise<void> {
    if (this.process.connected) this.process.disconnect();
    await super.end();
  }
}
