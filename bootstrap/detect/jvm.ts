import type { Candidate, Look } from "./candidate.ts";
import type { DetectionWarning } from "./detected.ts";
import { evidenceAt, evidenceMatching, evidenceOf, lineMatching, type Text } from "./text.ts";
import { joined, within, type Tree } from "./tree.ts";

/** A project of Java or Kotlin, built by Gradle or Maven; by its wrapper where it has one. */
export function lookAtJvm(tree: Tree, folder: string, inWorkflows: readonly string[]): Look | undefined {
  const [gradle, maven] = [lookAtGradle(tree, folder), lookAtMaven(tree, folder)];
  if (gradle === undefined || maven === undefined) return gradle ?? maven;
  const isMaven = inWorkflows.some((word) => /^(?:\.\/)?mvnw?$/u.test(word));
  const chosen = isMaven ? maven : gradle;
  const warning: DetectionWarning = {
    code: "manager-conflict",
    message: `${folder === "." ? "The root" : folder} is built by Gradle and by Maven. ${isMaven ? "Maven was chosen, for the workflows use it" : "Gradle was chosen, for the workflows do not use Maven"}.`,
    evidence: [...gradle.evidence.slice(0, 1), ...maven.evidence.slice(0, 1)],
  };
  return { ...chosen, warnings: [warning] };
}

/** Plugins that check, by a word of the build file. */
type Checks = readonly (readonly [word: RegExp, task: string])[];

const mavenChecks: Checks = [
  [/<artifactId>spotless-maven-plugin</u, "spotless:check"],
  [/<artifactId>maven-checkstyle-plugin</u, "checkstyle:check"],
  [/<artifactId>ktlint-maven-plugin</u, "ktlint:check"],
];

function lookAtMaven(tree: Tree, folder: string): Look | undefined {
  const text = tree.read(within(folder, "pom.xml"));
  if (text === undefined) return undefined;
  const wrapper = within(folder, "mvnw");
  const call = tree.has(wrapper) ? "./mvnw -B" : "mvn -B";
  const evidence = [evidenceOf(text.path), ...(tree.has(wrapper) ? [evidenceOf(wrapper)] : [])];
  const modules = text.lines.flatMap(
    (line) => /<module>\s*([^<\s]{1,200})\s*<\/module>/u.exec(line)?.[1] ?? [],
  );
  return lookOf(
    { manager: "maven", tree, folder, text, evidence, modules, checks: mavenChecks },
    {
      setup: `${call} -DskipTests test-compile`,
      test: `${call} test`,
      build: `${call} -DskipTests package`,
      lint: call,
    },
  );
}

const gradleChecks: Checks = [
  [/\bspotless\b/u, "spotlessCheck"],
  [/\bktlint\b/u, "ktlintCheck"],
  [/\bdetekt\b/u, "detekt"],
  [/\bcheckstyle\b/u, "checkstyleMain"],
];

function lookAtGradle(tree: Tree, folder: string): Look | undefined {
  const path = ["build.gradle.kts", "build.gradle", "settings.gradle.kts", "settings.gradle"]
    .map((name) => within(folder, name))
    .find((one) => tree.has(one));
  const text = path === undefined ? undefined : tree.read(path);
  if (text === undefined) return undefined;
  const wrapper = within(folder, "gradlew");
  const call = tree.has(wrapper) ? "./gradlew --no-daemon" : "gradle --no-daemon";
  const settings = ["settings.gradle.kts", "settings.gradle"]
    .map((name) => tree.read(within(folder, name)))
    .find((one) => one !== undefined);
  const evidence = [evidenceOf(text.path), ...(tree.has(wrapper) ? [evidenceOf(wrapper)] : [])];
  return lookOf(
    {
      manager: "gradle",
      tree,
      folder,
      text,
      evidence,
      modules: settings === undefined ? [] : included(settings),
      checks: gradleChecks,
    },
    {
      setup: `${call} testClasses`,
      test: `${call} test`,
      build: `${call} assemble`,
      lint: call,
    },
  );
}

/** `include("api", ":web:core")`, over as many lines as it takes. */
function included(settings: Text): readonly string[] {
  const found: string[] = [];
  let open = false;
  for (const line of settings.lines.slice(0, 5_000)) {
    open ||= /^\s*include\b(?!Build|Flat)/u.test(line);
    if (!open) continue;
    for (const [, name = ""] of line.slice(0, 2_000).matchAll(/["']:?([\w.:-]+)["']/gu))
      found.push(name.replaceAll(":", "/"));
    open = /[,(]\s*$/u.test(line);
  }
  return found;
}

interface Build {
  readonly manager: "maven" | "gradle";
  readonly tree: Tree;
  readonly folder: string;
  readonly text: Text;
  readonly evidence: Look["evidence"];
  readonly modules: readonly string[];
  readonly checks: Checks;
}

function lookOf(build: Build, calls: Readonly<Record<Candidate["kind"], string>>): Look {
  const { manager, tree, folder, text, evidence, modules, checks } = build;
  const members = modules
    .map((name) => joined(folder, name))
    .filter((one) => one !== undefined)
    .filter((one) => tree.names(one).length > 0 && one !== folder);
  const found = checks.flatMap(([word, task]) => {
    const line = lineMatching(text, word);
    return line === undefined ? [] : [{ task, evidence: evidenceAt(text, line) }];
  });
  const android = evidenceMatching(text, /com\.android\.(?:application|library)/u).text !== "";
  const said = (kind: Candidate["kind"]): Candidate => ({
    kind,
    command: calls[kind],
    folder,
    source: "custom",
    evidence,
    reason: `it is what ${manager} does of itself`,
    ...(android ? { doubt: "it needs the Android SDK" } : {}),
  });
  const lint: Candidate = {
    ...said("lint"),
    command: `${calls.lint} ${found.map(({ task }) => task).join(" ")}`,
    source: "tool",
    evidence: found.map((one) => one.evidence),
    reason: `${text.path} configures it`,
  };
  return {
    ecosystem: "java",
    manager,
    evidence,
    members,
    candidates: [said("setup"), said("test"), said("build"), ...(found.length === 0 ? [] : [lint])],
    warnings: [],
  };
}
