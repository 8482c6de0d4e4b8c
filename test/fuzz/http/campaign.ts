/** Hostile HTTP to the ticket endpoint of a real server, over loopback. */
import { GameServer } from '../../../src/server/index.js';
import { randomOf } from '../../messages/oracle.js';
import { type Answer, exchange } from './exchange.js';
import { type Attempt, drawAttempt, goodRequest } from './request.js';

export interface HttpFinding {
  seed: number;
  why: string;
  /** The request, in base64. */
  request: string;
}

export interface HttpCampaign {
  inputs: number;
  /** Answers by status; 0: none. */
  met: Map<number, number>;
  /** The first seed of each kind of answer, from which the corpus is made. */
  seeds: Map<string, number>;
  finding: HttpFinding | null;
}

export interface HttpOptions {
  firstSeed: number;
  isOver(inputs: number): boolean;
  /** Seeds that are tried first. */
  corpus?: readonly number[];
  /** Stands between the server and the judge. */
  plant?: (attempt: Attempt, answer: Answer) => Answer;
}

/** What docs/WIRE.md §1 tells of: everything else is a finding. */
const DOCUMENTED: Readonly<Record<number, readonly string[]>> = {
  400: ['bad-url', 'bad-json', 'bad-resume'],
  401: ['unauthenticated'],
  403: ['host-not-allowed', 'origin-not-allowed', 'bad-player-id'],
  404: ['not-found'],
  405: ['method-not-allowed'],
  409: ['session-unknown'],
  413: ['body-too-large'],
  415: ['unsupported-media-type'],
};
/** Of the HTTP server itself, to what is no HTTP. */
const WITHOUT_CODE = [400, 408, 417, 431];
/** Connections at once: an unfinished request waits for its time to be over. */
const LANES = 8;
/** A good request comes after so many. */
const GOOD_EVERY = 32;

export async function runHttp(options: HttpOptions): Promise<HttpCampaign> {
  const campaign: HttpCampaign = { inputs: 0, met: new Map(), seeds: new Map(), finding: null };
  const failures: string[] = [];
  const note = (error: unknown) => failures.push(`uncaught: ${String(error)}`);
  process.on('uncaughtException', note).on('unhandledRejection', note);
  const logger = { info() {}, warn() {}, error: (fields: object) => note(JSON.stringify(fields)) };
  const server = await GameServer.listen({
    dev: true,
    udp: false,
    logger,
    ticketsPerSecondPerAddress: 1_000_000,
  });
  try {
    const judge = new Judge(server.http.port, options, failures);
    for (const seed of options.corpus ?? []) await judge.hear(campaign, seed);
    let seed = options.firstSeed;
    while (campaign.finding === null && !options.isOver(campaign.inputs)) {
      const lanes = Array.from({ length: LANES }, (_, lane) => (seed + lane) | 0);
      await Promise.all(lanes.map((one) => judge.hear(campaign, one)));
      seed = (seed + LANES) | 0;
    }
    if (campaign.finding === null) await judge.hearGood(campaign, seed);
  } finally {
    await server.close();
    process.off('uncaughtException', note).off('unhandledRejection', note);
  }
  return campaign;
}

class Judge {
  /** Each asks as somebody else: a player holds few unused tickets. */
  private players = 0;

  constructor(
    private readonly port: number,
    private readonly options: HttpOptions,
    private readonly failures: string[],
  ) {}

  async hear(campaign: HttpCampaign, seed: number): Promise<void> {
    if (campaign.finding !== null) return;
    campaign.inputs += 1;
    const attempt = drawAttempt(randomOf(seed), this.nextPlayer());
    await this.judge(campaign, seed, attempt);
    if (campaign.inputs % GOOD_EVERY === 0) await this.hearGood(campaign, seed);
  }

  /** Whatever came before, the next player gets a ticket. */
  async hearGood(campaign: HttpCampaign, seed: number): Promise<void> {
    await this.judge(campaign, seed, goodRequest(this.nextPlayer()));
  }

  private nextPlayer(): string {
    this.players += 1;
    return `p${this.players}`;
  }

  private async judge(campaign: HttpCampaign, seed: number, attempt: Attempt): Promise<void> {
    const real = await exchange(this.port, attempt);
    const answer = this.options.plant?.(attempt, real) ?? real;
    campaign.met.set(answer.status, (campaign.met.get(answer.status) ?? 0) + 1);
    const code = /"code":"([\w-]+)"/.exec(answer.text)?.[1] ?? '';
    const kind = `${answer.status} ${code} ${attempt.leaves} ${attempt.expected !== null}`;
    if (!campaign.seeds.has(kind)) campaign.seeds.set(kind, seed);
    const why = this.failures[0] ?? flawOf(attempt, answer);
    if (why === null) return;
    const request = Buffer.concat(attempt.pieces).toString('base64');
    campaign.finding ??= { seed, why, request };
  }
}

function flawOf({ expected, leaves }: Attempt, answer: Answer): string | null {
  const { status, text, isOpen } = answer;
  if (expected !== null && !expected.includes(status)) {
    return `answered ${status} instead of ${expected}: ${text.slice(0, 300)}`;
  }
  if (status === 0) {
    if (text !== '') return `no HTTP: ${text.slice(0, 300)}`;
    return null; // closed without a word, gone, or still waiting for the rest
  }
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  if (status !== 200) {
    const code = /"code":"([\w-]+)"/.exec(body)?.[1];
    const isKnown =
      code === undefined ? WITHOUT_CODE.includes(status) : DOCUMENTED[status]?.includes(code);
    if (!isKnown)
      return `answered ${status} ${code}, which no document tells of: ${text.slice(0, 300)}`;
  }
  if (status === 200 && !isOpen && leaves === 'never') return flawOfTicket(body);
  if (/(\n\s+at |node:|\/src\/)/.test(text)) return `tells of its inside: ${text.slice(0, 500)}`;
  return null;
}

function flawOfTicket(body: string): string | null {
  return /^\{"ticket":"[\w-]{43}","connectToken":null,"expiresInSeconds":30\}/.test(body)
    ? null
    : `200 without a ticket: ${body.slice(0, 300)}`;
}
