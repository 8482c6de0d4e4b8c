/** Where the clients of a network run: in a process of their own, or in pages of a browser. */
import type { RunOfClient } from './compare.js';
import type { LaunchFace, Option } from './runner.js';

/** One run, as it is asked for. */
export interface RunRequest {
  program: string;
  option: Option;
  address: string;
  /** Null: the program needs none. */
  launch: LaunchFace | null;
}

export interface Players {
  /** Of their pages, which the servers have to let in; null: they are no pages. */
  readonly origin: string | null;
  run(request: RunRequest): Promise<RunOfClient>;
  end(): Promise<void>;
}
