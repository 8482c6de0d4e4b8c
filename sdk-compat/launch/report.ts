/** Runs the contract tests and tells their results as the table of sdk-compat/README.md. */
import { runCheck } from './check.js';
import { CHECKS } from './checks.js';
import { CONTRACT_VERSION } from './contract.js';
import { runCase } from './ported/case.js';
import { CONTRACT_TESTS } from './ported/index.js';

export const SERVER_CHECKS = `the fake server speaks ${CONTRACT_VERSION.server}`;

export interface ContractResult {
  name: string;
  passed: number;
  /** One line for each case that did not hold. */
  failures: string[];
}

export async function runContractTests(): Promise<ContractResult[]> {
  const results = [await runChecks()];
  for (const { name, cases } of CONTRACT_TESTS) {
    const result: ContractResult = { name, passed: 0, failures: [] };
    for (const one of cases) await count(result, one.name, () => runCase(one));
    results.push(result);
  }
  return results;
}

async function runChecks(): Promise<ContractResult> {
  const result: ContractResult = { name: SERVER_CHECKS, passed: 0, failures: [] };
  for (const check of CHECKS) {
    await count(result, check.name, async () => {
      const found = await runCheck(check);
      if (found.length > 0) throw new Error(JSON.stringify(found));
    });
  }
  return result;
}

async function count(result: ContractResult, name: string, run: () => Promise<void>) {
  try {
    await run();
    result.passed++;
  } catch (error) {
    result.failures.push(`${name}: ${String(error)}`);
  }
}

export function tableOf(results: readonly ContractResult[]): string {
  const rows = results.map(({ name, passed, failures }) => {
    const cases = passed + failures.length;
    return `| ${name} | ${passed} of ${cases} |`;
  });
  return `${['| contract test | cases passed |', '| --- | --- |', ...rows].join('\n')}\n`;
}
