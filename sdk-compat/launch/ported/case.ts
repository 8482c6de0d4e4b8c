/** What the ported contract tests are made of: a case is one situation of one contract test. */
import { AnonymousAuth, Client, type ClientOptions } from '../../../src/sdk/index.js';
import { FakeLaunch, type FakeLaunchOptions } from '../fake-server.js';

export interface PortedCase {
  /** A sentence. */
  name: string;
  launch?: FakeLaunchOptions;
  run(place: Place): Promise<void>;
}

/** A contract test by its name, as the reference SDKs have it. */
export interface ContractTest {
  name: string;
  cases: readonly PortedCase[];
}

/** A fake server, and clients of it. */
export class Place {
  readonly launch: FakeLaunch;

  constructor(launch: FakeLaunch) {
    this.launch = launch;
  }

  /** A game's client: with the publishable key; waits between attempts are 0. */
  client(options: Partial<ClientOptions> = {}): Client {
    return new Client({
      baseUrl: this.launch.url,
      apiKey: this.launch.publishableKey,
      retryPolicy: { baseDelayMs: 0 },
      reconnectPolicy: { baseDelayMs: 0, firstDelayMaxMs: 0 },
      ...options,
    });
  }

  /** One that is logged in; what was requested for that is forgotten. */
  async player(options: Partial<ClientOptions> = {}): Promise<Client> {
    const client = this.client(options);
    await client.login(new AnonymousAuth());
    this.launch.requests.length = 0;
    return client;
  }
}

/** A case that hangs has failed. */
const CASE_MS_MAX = 60_000;

/** @throws what does not hold */
export async function runCase({ launch: options, run }: PortedCase): Promise<void> {
  const launch = await FakeLaunch.start(options);
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), CASE_MS_MAX);
  });
  try {
    await Promise.race([run(new Place(launch)), hangs]);
  } finally {
    clearTimeout(timer);
    await launch.close();
  }
}

/** The error that a call has to end with. */
export async function errorOf(call: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  let value: unknown;
  try {
    value = await call;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error(`it resolved with ${JSON.stringify(value)}`);
}
