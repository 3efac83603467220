// What the scripts share. A script declares checks, each with a name of its own, and runs them in order; each prints one line of
// JSON: {"check", "ok", "detail"}. The hub and what is prepared there come in the environment variable COGNITO_TEST.
import { once } from 'node:events';

export const settings = JSON.parse(process.env.COGNITO_TEST);
const checks = [];
const limitMilliseconds = 60_000;

export function check(name, body) {
  checks.push({ name, body });
}

export async function run() {
  for (const { name, body } of checks) {
    let timer;
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer within a minute')), limitMilliseconds);
    });
    let detail = '';
    try {
      await Promise.race([body(), limit]);
    } catch (error) {
      detail = String(error.stack ?? error) || 'failed';
    }
    clearTimeout(timer);
    if (!process.stdout.write(JSON.stringify({ check: name, ok: detail === '', detail }) + '\n')) {
      await once(process.stdout, 'drain');
    }
  }
  process.exit(0);
}

/** A function that calls an SDK's operations, (client, name, input), and notes which of them have succeeded. */
export function calling(sdk) {
  const succeeded = new Set();
  const call = async (client, name, input) => {
    const answer = await client.send(new sdk[name + 'Command'](input));
    succeeded.add(name);
    return answer;
  };
  const operations = Object.keys(sdk).filter((name) => /^[A-Z]\w*Command$/.test(name)).map((name) => name.slice(0, -7));
  return { call, left: () => operations.filter((name) => !succeeded.has(name)), operations };
}

/** Expects that a call of an SDK fails with an error of this name and, where they are given, status and text. */
export async function fails(call, name, { status, text } = {}) {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    const seen = { name: error.name, status: error.$metadata?.httpStatusCode ?? error.statusCode, text: error.message };
    if (seen.name !== name || (status && seen.status !== status) || (text && !matches(seen.text, text))) {
      throw new Error(`expected ${name} ${status ?? ''} ${text ?? ''}, got ${JSON.stringify(seen)}\n${error.stack}`);
    }
    return error;
  }
  throw new Error(`expected ${name}, got ${JSON.stringify(answer)}`);
}

function matches(text, expected) {
  return expected instanceof RegExp ? expected.test(text) : text === expected;
}
