import { expect, test } from "vitest";
import { z } from "zod";
import { Approval, Loop, Parallel, Sequence, Signal, Task, leaf, waitsOf, workflow } from "#engine";
import { gate, open, until } from "./world.ts";

const built = leaf("build", z.string());
const deployed = leaf("deploy", z.string());

/** Builds again and again on one side; on the other asks for approval of the newest build, waits for a go and deploys. */
function shipping() {
  const builds = [gate<string>(), gate<string>(), gate<string>()];
  const deployments: string[] = [];
  const definition = workflow({
    name: "ship",
    input: z.object({}),
    output: z.unknown(),
    render: (ctx) => (
      <Parallel>
        <Loop id="builds" max={3} until={false} onExhausted="accept">
          <Task
            {...built}
            perform={({ signal }) =>
              Promise.race([builds[ctx.history(built).length]?.passed ?? "none", aborted(signal)])
            }
          />
        </Loop>
        {ctx.latest(built) === undefined ? undefined : (
          <Sequence>
            <Approval id="ok" ask={`Deploy ${ctx.latest(built) ?? ""}?`} about={ctx.digest(built)} />
            <Signal id="go" output={z.string()} />
            <Task {...deployed} perform={() => (deployments.push(ctx.output(built)), "done")} />
          </Sequence>
        )}
      </Parallel>
    ),
    result: () => null,
  });
  return { builds, deployments, definition };
}
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true }),
  );
const yes = { decision: "approved", by: "a person", note: "" };

test("an approval of something that has changed since is void, and the run waits again and says why", async () => {
  const { builds, deployments, definition } = shipping();
  const { begin, engine, sql, statuses } = await open(definition);
  await begin();
  builds[0]?.open("one");
  await until(async () => (await statuses()).includes("ok waiting"));
  expect(await engine.answer("r", "ok", yes)).toBe("answered");
  await until(async () => (await statuses()).includes("go waiting"));
  builds[1]?.open("two");
  const asked = async () => (await sql.read(() => waitsOf("r"))).find(({ leaf: id }) => id === "ok")?.ask;
  await until(async () => (await asked()) !== undefined);
  expect(await asked()).toMatchObject({
    text: "Deploy two?",
    again: "what was answered has changed since",
  });
  await engine.answer("r", "go", "go");
  builds[2]?.open("two");
  await until(async () => (await engine.run("r"))?.status === "waiting");
  expect(deployments).toEqual([]);
  await engine.answer("r", "ok", yes);
  await until(async () => (await engine.run("r"))?.status === "finished");
  expect(deployments).toEqual(["two"]);
});

test("a question about something that changed before anybody answered is asked about what it is now", async () => {
  const { builds, definition } = shipping();
  const { begin, engine, sql, statuses } = await open(definition);
  await begin();
  builds[0]?.open("one");
  await until(async () => (await statuses()).includes("ok waiting"));
  builds[1]?.open("two");
  await until(async () => (await statuses()).filter((one) => one.startsWith("ok")).length === 2);
  expect(await statuses()).toEqual(expect.arrayContaining(["ok failed", "ok waiting"]));
  const waits = (await sql.read(() => waitsOf("r"))).filter(({ leaf: id }) => id === "ok");
  expect(waits).toMatchObject([{ ask: { text: "Deploy two?", again: "what is asked about has changed" } }]);
  expect(await engine.answer("r", "ok", yes)).toBe("answered");
  await until(async () => (await statuses()).includes("go waiting"));
});

test("the same output again leaves an approval in force", async () => {
  const { builds, deployments, definition } = shipping();
  const { begin, engine, statuses } = await open(definition);
  await begin();
  builds[0]?.open("one");
  await until(async () => (await statuses()).includes("ok waiting"));
  await engine.answer("r", "ok", yes);
  builds[1]?.open("one");
  builds[2]?.open("one");
  await until(async () => (await statuses()).includes("go waiting"));
  await engine.answer("r", "go", "go");
  await until(async () => (await engine.run("r"))?.status === "finished");
  expect(deployments).toEqual(["one"]);
});

test("a void approval stays void for the process that takes the run over", async () => {
  const { builds, definition } = shipping();
  const first = await open(definition);
  await first.begin();
  builds[0]?.open("one");
  await until(async () => (await first.statuses()).includes("ok waiting"));
  await first.engine.answer("r", "ok", yes);
  await until(async () => (await first.statuses()).includes("go waiting"));
  builds[1]?.open("two");
  await until(async () => (await first.statuses()).filter((one) => one === "ok waiting").length === 1);
  await first.engine.down(0);
  const second = await open(definition, first.path);
  second.engine.poke();
  await second.engine.answer("r", "go", "go");
  builds[2]?.open("two");
  await until(async () => (await second.engine.run("r"))?.status === "waiting");
  expect((await second.sql.read(() => waitsOf("r"))).map(({ leaf: id }) => id)).toEqual(["ok"]);
});
