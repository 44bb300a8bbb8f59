import { parse, validate, validateSchema } from "graphql";
import { LinearDocument } from "@linear/sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { linearSchema } from "../../../src/simulator/linear/schema.ts";
import { refusal, stand, type Stand } from "./stand.ts";

let s: Stand;
beforeAll(async () => (s = await stand()));
afterAll(() => s.close());

it("the schema rebuilt from the SDK's declarations is a valid one", () => {
  const schema = linearSchema();
  expect(validateSchema(schema)).toEqual([]);
  expect(Object.keys(schema.getTypeMap()).length).toBeGreaterThan(1_300);
});

it("every document of the SDK validates against it", () => {
  const documents = Object.entries(
    LinearDocument as unknown as Record<string, { toString(): string }>,
  ).filter(([name]) => name.endsWith("Document"));
  const wrong = documents.flatMap(([name, document]) =>
    validate(linearSchema(), parse(String(document))).map(({ message }) => `${name}: ${message}`),
  );
  expect(wrong).toEqual([]);
  expect(documents).toHaveLength(674);
});

it("a root that is not simulated says so by its name", async () => {
  const error = await refusal(() => s.client.initiatives());
  expect(error.message).toContain("NOT_IMPLEMENTED: the simulated Linear does not know Query.initiatives");
  const mutation = await refusal(() => s.client.createTeam({ name: "Ops" }));
  expect(mutation.message).toContain("Mutation.teamCreate");
});

it("a filter, an input and a sort that are not simulated say so too", async () => {
  s.ada.open(s.eng, "One");
  const filter = await refusal(() => s.client.issues({ filter: { slaStatus: { eq: "Breached" as never } } }));
  expect(filter.message).toContain("slaStatus");
  const issue = s.ada.open(s.eng, "Two");
  const input = await refusal(() => s.client.updateIssue(issue.id, { snoozedUntilAt: new Date() }));
  expect(input.message).toContain("IssueUpdateInput.snoozedUntilAt");
});

it("a field nobody set answers by its declared type", async () => {
  const issue = s.ada.open(s.eng, "Bare");
  const read = await s.client.issue(issue.id);
  expect(read.dueDate).toBeUndefined();
  expect(read.customerTicketCount).toBe(0);
  expect(read.previousIdentifiers).toEqual([]);
  expect(await read.subscribers()).toMatchObject({ nodes: [] });
  expect((await read.documents()).nodes).toEqual([]);
});

it("a query that is none is refused as GraphQL servers do", async () => {
  const error = await refusal(() => s.client.client.rawRequest("query { viewer { shoeSize } }", {}));
  expect(error).toMatchObject({ type: "GraphqlError", status: 400 });
});
