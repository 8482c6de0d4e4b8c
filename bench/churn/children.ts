/** The server and the loads as the main process sees them: processes that answer. */
import { Child } from './child.js';
import type {
  LoadAnswer,
  LoadFigures,
  LoadOrder,
  LoadSetup,
  ServerReady,
  ServerSample,
  ServerSetup,
} from './messages.js';

export class ServerChild extends Child {
  constructor(setup: ServerSetup) {
    super('server', 'churn/server-process.js', JSON.stringify(setup), [
      '--expose-gc',
      '--disable-warning=ExperimentalWarning', // queryObjects
    ]);
  }

  ready(): Promise<ServerReady> {
    return this.next<ServerReady>('ready');
  }

  sample(withObjects: boolean): Promise<ServerSample> {
    const answer = this.next<ServerSample>('sample');
    this.tell({ kind: 'sample', withObjects });
    return answer;
  }
}

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
