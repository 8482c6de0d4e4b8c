/** A server under test as the main process sees it: it says when it listens, and samples itself. */
import { Child } from './child.js';

export class ServerChild<
  Setup extends object,
  Ready extends { kind: 'ready' },
  Sample extends { kind: 'sample' },
> extends Child {
  /** @param program as of `Child`; it takes a `ServerCommand` and finds `setup` in its arguments */
  constructor(program: string, setup: Setup) {
    super('server', program, JSON.stringify(setup), [
      '--expose-gc',
      '--disable-warning=ExperimentalWarning', // queryObjects
    ]);
  }

  ready(): Promise<Ready> {
    return this.next<Ready>('ready');
  }

  sample(withObjects: boolean): Promise<Sample> {
    const answer = this.next<Sample>('sample');
    this.tell({ kind: 'sample', withObjects });
    return answer;
  }
}
