import { generateKeyPairSync, randomBytes } from "node:crypto";
import { atRate, envelope, openPool, post } from "./deliveries.ts";
import { figure, median, percentile, startChild, type Benchmark } from "./measure.ts";

const perSecond = 200;
const rounds = 10;
const roundMs = 1_000;

/** From the first byte sent to the last of the answer: ours with a durable insert, and bare Probot, turn and turn about. */
export const webhookAck: Benchmark = async ({ dir, say }) => {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const secret = randomBytes(20).toString("hex");
  const letter = envelope(secret);
  const child = startChild("ack-server.ts", [dir, privateKey, secret]);
  const pool = openPool();
  try {
    const urls = (await child.heard()) as { readonly ours: string; readonly bare: string };
    const volley = async (url: string, expected: number, name: string, ms: number): Promise<number[]> => {
      const samples: number[] = [];
      await atRate(perSecond, ms, async (index) => {
        const answer = await post(pool, url, letter, `${name}-${index}`);
        if (answer.status !== expected) throw new Error(`${url} answered ${answer.status}`);
        samples.push(answer.ms);
      });
      return samples;
    };
    await volley(urls.ours, 202, "warm-ours", roundMs);
    await volley(urls.bare, 200, "warm-bare", roundMs);
    const ours: number[][] = [];
    const bare: number[][] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await volley(urls.ours, 202, `ours-${round}`, roundMs));
      bare.push(await volley(urls.bare, 200, `bare-${round}`, roundMs));
    }
    say(`${letter.body.length} bytes a delivery, ${perSecond} a second, ${rounds} rounds each`);
    const n = ours.flat().length;
    return [
      figure("webhook-ack p50", median(ours.map(median)), "ms", n, median(bare.map(median))),
      figure("webhook-ack p99", percentile(ours.flat(), 0.99), "ms", n, percentile(bare.flat(), 0.99)),
    ];
  } finally {
    pool.destroy();
    await child.kill();
  }
};
