import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { PersistentVolumeClaim, Service } from "kubernetes-models/v1";
import { Deployment } from "kubernetes-models/apps/v1";
import { Ingress } from "kubernetes-models/networking.k8s.io/v1";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { settingVariables, secretVariables } from "../../src/config-environment.ts";
import { render, type Scope } from "./go-template.ts";

const chart = new URL("../../bootstrap/service/helm/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, chart), "utf8");
const usual = parse(read("values.yaml")) as Scope;
const templates = readdirSync(new URL("templates/", chart)).filter((name) => name.endsWith(".yaml"));

const merged = (base: Scope, more: Scope): Scope => ({
  ...base,
  ...Object.fromEntries(
    Object.entries(more).map(([name, value]) => {
      const there = base[name];
      const isDeep = [there, value].every(
        (one) => typeof one === "object" && one !== null && !Array.isArray(one),
      );
      return [name, isDeep ? merged(there as Scope, value as Scope) : value];
    }),
  ),
});
const scope = (values: Scope): Scope => ({
  Values: merged(usual, values),
  Release: { Name: "fh", Namespace: "ci" },
  Chart: { AppVersion: "1.2.3" },
});

const models = { Deployment, PersistentVolumeClaim, Service, Ingress } as const;
/** Every manifest of the chart, judged by Kubernetes' own schemas. */
function manifests(values: Scope) {
  const found = templates.flatMap((name) => {
    const manifest = parse(render(read(`templates/${name}`), scope(values))) as {
      kind: keyof typeof models;
    } | null;
    return manifest === null ? [] : [manifest];
  });
  for (const manifest of found) new models[manifest.kind](manifest as never).validate();
  return new Map(found.map((manifest) => [manifest.kind, manifest as unknown as Scope]));
}
const pod = (values: Scope) => {
  const deployment = manifests(values).get("Deployment") as {
    spec: { replicas: number; strategy: { type: string }; template: { spec: Record<string, unknown> } };
  };
  const spec = deployment.spec.template.spec;
  const [container] = spec["containers"] as Record<string, unknown>[];
  if (container === undefined) throw new Error("no container");
  return { deployment, spec, container };
};

describe("the chart", () => {
  test("runs one process, and never a second beside it", () => {
    const { deployment } = pod({ existingSecret: "mine" });
    expect([deployment.spec.replicas, deployment.spec.strategy.type]).toEqual([1, "Recreate"]);
    expect([...manifests({ existingSecret: "mine" }).keys()].toSorted()).toEqual([
      "Deployment",
      "PersistentVolumeClaim",
      "Service",
    ]);
  });

  test("gives the pod five minutes more than the drain", () => {
    const { spec, container } = pod({ existingSecret: "mine", drainMinutes: 7 });
    expect(spec["terminationGracePeriodSeconds"]).toBe(7 * 60 + 300);
    expect(container["env"]).toContainEqual({ name: "FORGEHAND_DRAIN_MINUTES", value: "7" });
  });

  test("asks one address whether it lives, and another whether it takes news", () => {
    const { container } = pod({ existingSecret: "mine" });
    expect(container).toMatchObject({
      livenessProbe: { httpGet: { path: "/healthz" } },
      readinessProbe: { httpGet: { path: "/readyz" } },
    });
  });

  test("leaves a container nothing to write but its data, and no right to more", () => {
    const { spec, container } = pod({ existingSecret: "mine" });
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    });
    expect(container["securityContext"]).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  test("takes settings, a claim, an account and an ingress of one's own", () => {
    const values = {
      existingSecret: "mine",
      settings: { FORGEHAND_CONCURRENCY: "5", FORGEHAND_APP_ID: "1234567" },
      persistence: { existingClaim: "old" },
      serviceAccountName: "jobs",
      imagePullSecrets: [{ name: "pull" }],
      nodeSelector: { disk: "ssd" },
      tolerations: [{ key: "k", operator: "Exists" }],
      podAnnotations: { a: "b" },
      ingress: {
        enabled: true,
        host: "fh.example",
        tlsSecret: "tls",
        className: "nginx",
        annotations: { c: "d" },
      },
    };
    const found = manifests(values);
    expect(found.has("PersistentVolumeClaim")).toBe(false);
    expect(found.get("Ingress")).toMatchObject({
      metadata: { annotations: { c: "d" } },
      spec: { tls: [{ hosts: ["fh.example"], secretName: "tls" }], rules: [{ host: "fh.example" }] },
    });
    const { spec, container } = pod(values);
    expect(container["env"]).toContainEqual({ name: "FORGEHAND_APP_ID", value: "1234567" });
    expect(spec).toMatchObject({ serviceAccountName: "jobs", nodeSelector: { disk: "ssd" } });
  });

  test("says which Secret is missing", () => {
    expect(() => manifests({})).toThrow("kubectl create secret generic");
  });
});

describe("values.schema.json", () => {
  const schema = JSON.parse(read("values.schema.json")) as Scope;
  const judge = new Ajv({ allErrors: true }).compile(schema);

  test("knows every value of the chart, and no other", () => {
    expect(judge(usual), JSON.stringify(judge.errors)).toBe(true);
    expect(judge(merged(usual, { replicas: 2 }))).toBe(false);
    const known = Object.keys(schema["properties"] as Scope).filter((name) => name !== "global");
    expect(known.toSorted()).toEqual(Object.keys(usual).toSorted());
  });

  test("lets every setting through that is no secret, and no secret", () => {
    const secrets = secretVariables.filter((name) => !name.endsWith("_FILE"));
    for (const name of settingVariables) {
      expect([name, judge(merged(usual, { settings: { [name]: "1" } }))]).toEqual([
        name,
        !secrets.includes(name),
      ]);
    }
    expect(judge(merged(usual, { settings: { ANTHROPIC_API_KEY: "1" } }))).toBe(false);
    // A number of six digits and more would reach the pod as 1.2e+06.
    expect(judge(merged(usual, { settings: { FORGEHAND_APP_ID: 1234567 } }))).toBe(false);
  });
});
