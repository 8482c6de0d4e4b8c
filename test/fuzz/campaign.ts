/** Seed after seed until the time is over: plays, compares, minimises what differs. */
import { compare, type Difference, minimise } from './compare.js';
import type { Decoder } from './decoder.js';
import { generate } from './generate.js';

export interface Campaign {
  seeds: number;
  payloads: number;
  /** Times that each verdict and each event was met: reasons by name, `accept`, `message`, … */
  met: Map<string, number>;
  differences: { seed: number; found: Difference }[];
}

export interface CampaignOptions {
  firstSeed: number;
  /** Ends the campaign when it answers true; asked before each seed but the first. */
  isOver(seedsPlayed: number): boolean;
  /** How many differences are enough. */
  differencesMax?: number;
}

export async function runCampaign(decoder: Decoder, options: CampaignOptions): Promise<Campaign> {
  const campaign: Campaign = { seeds: 0, payloads: 0, met: new Map(), differences: [] };
  const enough = options.differencesMax ?? 1;
  do {
    const seed = (options.firstSeed + campaign.seeds) | 0;
    const play = generate(seed);
    const found = await compare(decoder, play);
    campaign.seeds += 1;
    for (const { answer } of play.questions) {
      count(campaign, answer);
    }
    if (found !== null) {
      campaign.differences.push({ seed, found: await minimise(decoder, found) });
    }
  } while (!options.isOver(campaign.seeds) && campaign.differences.length < enough);
  return campaign;
}

function count(campaign: Campaign, answer: string): void {
  const [verdict = '', ...events] = answer.split(' | ');
  const names = [verdict, ...events.map((event) => event.split(' ')[0] ?? '')];
  campaign.payloads += verdict === 'ok' ? 0 : 1;
  for (const name of names) {
    campaign.met.set(name, (campaign.met.get(name) ?? 0) + 1);
  }
}
