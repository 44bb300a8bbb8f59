import { afterEach, expect, test } from "vitest";
import { answerTo, connection, Refusal, type Fields } from "../../src/simulator/hub/graphql-document.ts";
import { openStand, type Json, type Stand } from "./forge-stand.ts";

const item = (name: string): Fields => ({ __typename: "Item", name });
const query: Fields = {
  __typename: "Query",
  shop: ({ named }) => {
    if (named === "gone") throw new Refusal("NOT_FOUND", "Could not resolve to a shop.");
    return {
      __typename: "Shop",
      name: String(named),
      items: connection("Item", ["a", "b", "c"].map(item)),
      owner: async () => ({ __typename: "Person", login: "ada" }),
    };
  },
};
const asked = (text: string, variables?: Readonly<Record<string, unknown>>) =>
  answerTo({ query: text, variables }, { query, mutation: { __typename: "Mutation" } });

test("a document is answered field by field: arguments, aliases, fragments and nothing that was not asked for", async () => {
  const text = `query ($n: String!) {
    one: shop(named: $n) { ...parts owner { ... on Person { login } ... on Robot { login } } }
    two: shop(named: "x") { name __typename }
  }
  fragment parts on Shop { name }`;
  expect(await asked(text, { n: "till" })).toEqual({
    data: { one: { name: "till", owner: { login: "ada" } }, two: { name: "x", __typename: "Shop" } },
  });
});

test("a list is given in pages, each from where the last one ended", async () => {
  const page = (after: string | null) =>
    asked(
      `query ($after: String) { shop(named: "x") { items(first: 2, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } } }`,
      { after },
    );
  const items = (names: readonly string[], hasNextPage: boolean, endCursor: string) => ({
    data: {
      shop: { items: { nodes: names.map((name) => ({ name })), pageInfo: { hasNextPage, endCursor } } },
    },
  });
  expect(await page(null)).toEqual(items(["a", "b"], true, "2"));
  expect(await page("2")).toEqual(items(["c"], false, "3"));
});

test("what cannot be given is null with its reason and place, and a document that asks for what there is not is none", async () => {
  expect(await asked(`query {\n  a: shop(named: "gone") { name }\n}`)).toEqual({
    data: { a: null },
    errors: [
      {
        type: "NOT_FOUND",
        path: ["a"],
        locations: [{ line: 2, column: 3 }],
        message: "Could not resolve to a shop.",
      },
    ],
  });
  expect(await asked(`query { shop(named: "x") { colour } }`)).toMatchObject({
    errors: [{ type: "undefinedField", path: ["shop", "colour"] }],
  });
  expect(await asked("query {")).toMatchObject({ errors: [{ type: "PARSE_ERROR" }] });
});

let stand: Stand | undefined;
afterEach(() => stand?.close());

test("a token reaches no further over GraphQL than over REST", async () => {
  const { api, ask, people, token } = (stand = await openStand());
  await people.push("work", "bob", { "a.txt": "x\n" });
  const opened = await api("POST", "/pulls", { title: "t", head: "work", base: "main" });
  await people.inline(1, "bob", "hm", { path: "a.txt", line: 1 });
  const read =
    'query { repository(owner: "acme", name: "web") { pullRequest(number: 1) { reviewThreads(first: 1) { nodes { id } } } } }';
  const ready =
    "mutation ($pull: ID!) { convertPullRequestToDraft(input: { pullRequestId: $pull }) { clientMutationId } }";
  const says = async (permissions: Readonly<Record<string, string>>, text: string): Promise<string> => {
    const variables = { pull: opened.body["node_id"] };
    const { body } = await ask(await token(permissions), "POST", "/api/graphql", { query: text, variables });
    return ((body["errors"] ?? [{ type: "fine" }]) as readonly Json[]).map(({ type }) => type).join();
  };
  expect(await says({ issues: "read" }, read)).toBe("FORBIDDEN");
  expect(await says({ pull_requests: "read" }, read)).toBe("fine");
  expect(await says({ pull_requests: "read", contents: "write" }, ready)).toBe("FORBIDDEN");
  expect(await says({ pull_requests: "write" }, ready)).toBe("FORBIDDEN");
  expect(people.thread(1).pull?.draft).toBe(false);
  expect(await says({ pull_requests: "write", contents: "write" }, ready)).toBe("fine");
  expect(people.thread(1).pull?.draft).toBe(true);
});
