import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { protectedPaths } from "../../config-schema.ts";
import { parseDiff } from "../diff.ts";
import { protectedReasons } from "../protected-paths.ts";
import { findTampering } from "./find.ts";
import { sayHit } from "./hit.ts";

/** One changed file as git shows it; lines begin with their sign. */
function change(path: string, ...lines: readonly string[]): string {
  const before = lines.filter((line) => !line.startsWith("+")).length;
  const after = lines.filter((line) => !line.startsWith("-")).length;
  return [
    `diff --git a/${path} b/${path}`,
    "index 1111111..2222222 100644",
    `--- a/${path}`,
    `+++ b/${path}`,
    `@@ -1,${before} +1,${after} @@`,
    ...lines,
    "",
  ].join("\n");
}
const deleted = (path: string, ...lines: readonly string[]): string =>
  change(path, ...lines.map((line) => `-${line}`))
    .replace("index", "deleted file mode 100644\nindex")
    .replace(`+++ b/${path}`, "+++ /dev/null");
const added = (path: string, ...lines: readonly string[]): string =>
  change(path, ...lines.map((line) => `+${line}`))
    .replace("index", "new file mode 100644\nindex")
    .replace(`--- a/${path}`, "--- /dev/null");
const renamed = (from: string, to: string): string =>
  `diff --git a/${from} b/${to}\nsimilarity index 100%\nrename from ${from}\nrename to ${to}\n`;
const reasons = (diff: string): readonly string[] => findTampering(parseDiff(diff)).map(sayHit);
const guarded = (diff: string): readonly string[] => protectedReasons(parseDiff(diff), protectedPaths);

const weakened: Readonly<Record<string, string>> = {
  "a deleted test (TypeScript)": deleted("src/app.test.ts", 'test("x", () => {});'),
  "a deleted test (Python)": deleted("tests/test_app.py", "def test_x(): pass"),
  "a deleted test (Go)": deleted("app_test.go", "func TestX(t *testing.T) {}"),
  "a deleted test (Java)": deleted("src/test/java/AppTest.java", "@Test void x() {}"),
  "a deleted test (Rust)": deleted("tests/app.rs", "#[test]", "fn x() {}"),
  "a deleted test inside a source file (Rust)": change(
    "src/lib.rs",
    "-#[test]",
    "-fn x() { assert!(f()); }",
    " fn y() {}",
  ),
  "a test renamed away": renamed("src/app.test.ts", "src/app.ts.old"),
  "a test renamed to recorded data": renamed("tests/test_app.py", "tests/fixtures/test_app.py"),
  "a script on one line that nobody can read": change(
    "package.json",
    '-    "test": "vitest run",',
    `+    "test": "vitest run ${" ".repeat(5_000)}|| true",`,
  ),
  "a file of what is ignored": added(".eslintignore", "src/pay/**"),
  "an assertion moved behind the environment": change(
    "src/app.test.ts",
    "-  expect(f()).toBe(1);",
    "+  if (process.env.FULL) {",
    "+    expect(f()).toBe(1);",
    "+  }",
  ),
  "a test written on one line that nobody can read": change(
    "src/app.test.ts",
    `+const a = "${"x".repeat(30_000)}"; it.skip("x", () => {});`,
    " ",
  ),
  "it.skip": change("src/app.test.ts", '-it("x", () => {', '+it.skip("x", () => {'),
  "describe.skip": change("src/app.test.ts", '-describe("x", () => {', '+describe.skip("x", () => {'),
  "test.only": change("src/app.test.ts", '-test("x", () => {', '+test.only("x", () => {'),
  "test.skipIf": change("src/app.test.ts", '-test("x", () => {', '+test.skipIf(true)("x", () => {'),
  "it.concurrent.skip": change("src/app.test.ts", '-it("x", () => {', '+it.concurrent.skip("x", () => {'),
  "this.skip()": change("src/app.test.ts", "+    this.skip();", " });"),
  xit: change("spec/app.spec.js", '-it("x", () => {', '+xit("x", () => {'),
  fdescribe: change("spec/app.spec.js", '-describe("x", () => {', '+fdescribe("x", () => {'),
  "pytest.mark.skip": change("tests/test_app.py", "+@pytest.mark.skip", " def test_x():"),
  "pytest.mark.xfail": change("tests/test_app.py", "+@pytest.mark.xfail", " def test_x():"),
  "unittest.skip": change("tests/test_app.py", "+@unittest.skip('later')", " def test_x(self):"),
  "@skip alone": change("tests/test_app.py", "+@skip('later')", " def test_x(self):"),
  "self.skipTest": change("tests/test_app.py", "+    self.skipTest('later')", " "),
  "t.Skip": change("app_test.go", '+\tt.Skip("later")', " "),
  "b.SkipNow": change("app_test.go", "+\tb.SkipNow()", " "),
  "#[ignore]": change("tests/app.rs", " #[test]", "+#[ignore]", " fn x() {}"),
  "#[ignore] in a source file": change("src/lib.rs", " #[test]", '+#[ignore = "slow"]', " fn x() {}"),
  "@Disabled": change("src/test/java/AppTest.java", "+    @Disabled", "     @Test void x() {}"),
  "@Ignore": change("src/test/kotlin/AppTest.kt", "+    @Ignore", "     @Test fun x() {}"),
  "an assertion removed (TypeScript)": change("src/app.test.ts", "-  expect(f()).toBe(1);", "+  f();"),
  "an assertion removed (Python)": change("tests/test_app.py", "-    assert f() == 1", "+    f()"),
  "an assertion removed (Go)": change("app_test.go", '-\t\tt.Errorf("got %d", n)', "+\t\t_ = n"),
  "an assertion removed (Java)": change(
    "src/test/java/AppTest.java",
    "-        assertEquals(1, f());",
    "+        f();",
  ),
  "an assertion removed (Rust)": change("tests/app.rs", "-    assert_eq!(f(), 1);", "+    f();"),
  "an assertion made vacuous": change(
    "src/app.test.ts",
    "-  expect(f()).toBe(1);",
    "+  expect(true).toBe(true);",
  ),
  "an assertion made vacuous (Python)": change(
    "tests/test_app.py",
    "-    assert f() == 1",
    "+    assert True",
  ),
  "an assertion weakened to being there": change(
    "src/app.test.ts",
    "-  expect(f()).toEqual({ a: 1 });",
    "+  expect(f()).toBeDefined();",
  ),
  "an assertion commented out": change(
    "src/app.test.ts",
    "-  expect(f()).toBe(1);",
    "+  // expect(f()).toBe(1);",
  ),
  "a test commented out (Python)": change("tests/test_app.py", "-def test_x():", "+# def test_x():"),
  "a lowered threshold (vitest)": change("vitest.config.ts", "-  lines: 90,", "+  lines: 20,"),
  "a lowered threshold (package.json)": change(
    "package.json",
    '-      "branches": 80,',
    '+      "branches": 10,',
  ),
  "a lowered threshold (pyproject)": change("pyproject.toml", "-fail_under = 90", "+fail_under = 1"),
  "a lowered threshold (setup.cfg)": change("setup.cfg", "-fail_under = 90", "+fail_under = 1"),
  "a lowered threshold on a command line": change(
    "Makefile",
    "-\tpytest --cov-fail-under=90",
    "+\tpytest --cov-fail-under=1",
  ),
  "a removed threshold": change("pyproject.toml", "-fail_under = 90"),
  "a lint rule file": change(".eslintrc.json", '-  "no-eval": "error"', '+  "no-eval": "off"'),
  "a test script that does nothing": change(
    "package.json",
    '-    "test": "vitest run",',
    '+    "test": "true",',
  ),
  "a silenced type checker": change("src/app.ts", "+// @ts-nocheck"),
  "a silenced linter (Python)": change("app.py", "-x = eval(y)", "+x = eval(y)  # noqa"),
  "a silenced linter (Go)": change("app.go", "+//nolint:all"),
  "a silenced linter (Rust)": change("src/lib.rs", "+#![allow(warnings)]"),
  "a silenced checker (Java)": change("src/main/java/App.java", '+    @SuppressWarnings("all")'),
  "snapshots rewritten at once": Array.from({ length: 6 }, (_, index) =>
    change(`src/__snapshots__/a${index}.test.ts.snap`, "-exports[`x`] = `1`;", "+exports[`x`] = `2`;"),
  ).join(""),
};
describe("a weakened check is seen:", () => {
  test.each(Object.entries(weakened))("%s", (_name, diff) => {
    expect(reasons(diff)).not.toEqual([]);
  });
});

const benign: Readonly<Record<string, string>> = {
  "a new assertion that holds on some machines": change(
    "src/app.test.ts",
    " test(() => {",
    '+  if (process.platform !== "win32") {',
    "+    expect(mode()).toBe(0o600);",
    "+  }",
    " });",
  ),
  "a test's tool in another version": change(
    "package.json",
    '-    "vitest": "^3.2.4",',
    '+    "vitest": "^4.1.7",',
  ),
  "a helper that some tests call": change(
    "src/app.test.ts",
    '-test("a", () => { expect(f(1)).toBe(2); });',
    '-test("b", () => { expect(f(2)).toBe(3); });',
    '+test("a", () => { check(1, 2); });',
    '+test("b", () => { check(2, 3); });',
    "+function check(from: number, to: number): void {",
    "+  expect(f(from)).toBe(to);",
    "+}",
  ),
  "a new test": added("src/new.test.ts", 'test("x", () => {', "  expect(f()).toBe(1);", "});"),
  "a renamed test": renamed("src/app.test.ts", "test/app.test.ts"),
  "a test whose value changed with the source": `${change("src/app.ts", "-export const f = () => 1;", "+export const f = () => 2;")}${change(
    "src/app.test.ts",
    "-  expect(f()).toBe(1);",
    "+  expect(f()).toBe(2);",
  )}`,
  "a test that says more": change(
    "tests/test_app.py",
    " def test_x():",
    "     assert f() == 1",
    "+    assert g() == 2",
  ),
  "a test told otherwise": change("src/app.test.ts", '-test("x", () => {', '+test("says x", () => {'),
  "a skip that was lifted": change("src/app.test.ts", '-it.skip("x", () => {', '+it("x", () => {'),
  code: change("src/app.ts", "-const lines = 90;", "+const lines = 20;"),
  "code that counts statements": change("src/count.go", "-\tstatements := 10", "+\tstatements := 3"),
  "code that skips": change("src/app.py", "+    rows.skip(3)"),
  "a raised threshold": change("vitest.config.json", '-  "lines": 80', '+  "lines": 90'),
  "one corrected snapshot beside its source": `${change("src/a.ts", "-export const a = 1;", "+export const a = 2;")}${change(
    "src/__snapshots__/a.test.ts.snap",
    "-exports[`x`] = `1`;",
    "+exports[`x`] = `2`;",
  )}`,
  "a dependency": change("package.json", '-    "zod": "4.6.6"', '+    "zod": "4.6.7"'),
  words: change("README.md", "-use it.skip never", "+never use it.skip"),
  "a Rust source file": change("src/lib.rs", "-fn x() { y(); }", "+fn x() { z(); }"),
  "a Java class": change("src/main/java/App.java", "-  int threshold = 4;", "+  int threshold = 3;"),
};
describe("a benign change is left alone:", () => {
  test.each(Object.entries(benign))("%s", (_name, diff) => {
    expect(reasons(diff)).toEqual([]);
    expect(guarded(diff)).toEqual([]);
  });
});

describe("a protected path takes a person:", () => {
  test.each([
    ".github/workflows/ci.yml",
    ".github/forgehand.yml",
    ".GITHUB/workflows/ci.yml",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".claude/settings.json",
    "packages/web/.claude/settings.json",
    ".codex/config.toml",
    ".agents/skills/x.md",
    "packages/web/.agents/x.md",
    ".mcp.json",
    "packages/web/.mcp.json",
    "AGENTS.md",
    "AGENTS.override.md",
    "src/claude.md",
    "CLAUDE.local.md",
    ".husky/pre-commit",
    ".forgehand.yml",
    "WORKFLOW.md",
    ".gitmodules",
    ".gitattributes",
    "package-lock.json",
  ])("%s", (path) => {
    expect(guarded(change(path, "-a", "+b"))).not.toEqual([]);
    expect(guarded(deleted(path, "a"))).not.toEqual([]);
  });
  test("also when it is moved away, linked to, or named in octal", () => {
    expect(guarded(renamed(".github/workflows/ci.yml", "ci.yml"))).not.toEqual([]);
    expect(guarded(renamed("ci.yml", ".github/workflows/ci.yml"))).not.toEqual([]);
    expect(
      guarded(
        "diff --git a/x b/x\nnew file mode 120000\nindex 000..111\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+.github\n",
      ),
    ).not.toEqual([]);
    expect(
      guarded(
        'diff --git "a/.github/\\303\\244.yml" "b/.github/\\303\\244.yml"\n--- "a/.github/\\303\\244.yml"\n+++ "b/.github/\\303\\244.yml"\n@@ -1 +1 @@\n-a\n+b\n',
      ),
    ).not.toEqual([]);
  });
  test("also when a link or a submodule that was there leads elsewhere", () => {
    const led = (mode: string): string => change("x", "-a", "+b").replace("100644", mode);
    expect(guarded(led("120000"))).toEqual(["`x` is a symbolic link"]);
    expect(guarded(led("160000"))).toEqual(["`x` is a submodule"]);
    expect(guarded(led("100755"))).toEqual([]);
  });
  test("also what git shows no lines of, unless it is binary by nature", () => {
    const binary = (path: string): string =>
      `diff --git a/${path} b/${path}\nindex 111..222 100644\nBinary files a/${path} and b/${path} differ\n`;
    expect(guarded(binary("src/app.ts"))).not.toEqual([]);
    expect(guarded(binary("docs/shot.png"))).toEqual([]);
  });
  test("a lockfile with its manifest does not", () => {
    expect(
      guarded(change("package.json", '-"zod": "1"', '+"zod": "2"') + change("package-lock.json", "-1", "+2")),
    ).toEqual([]);
  });
});

test("a program hides nothing behind what is read of a line, and a build may write long ones", () => {
  const long = `+const a = "${"x".repeat(30_000)}"; if (process.env.VITEST) return 1;`;
  expect(reasons(change("src/app.ts", long, " "))).not.toEqual([]);
  expect(reasons(change("dist/app.js", long, " "))).toEqual([]);
});

test("a folder that is called like recorded output hides no program", () => {
  expect(reasons(change("src/snapshots/take.ts", "+if (process.env.VITEST) return 1;", " "))).not.toEqual([]);
});

test.each(["*/ ", "/* x */ ", " * x */ "])("code behind the end of a comment is read: %j", (end) => {
  const skip = `+${end}it.skip("x", () => {`;
  expect(reasons(change("src/app.test.ts", " /*", '-it("x", () => {', skip))).not.toEqual([]);
  const leave = change(
    "src/app.test.ts",
    '   it("x", () => {',
    `+${end}return;`,
    "     expect(f()).toBe(1);",
  );
  expect(reasons(leave)).not.toEqual([]);
});

test("a line of a file cannot pretend to be another file's header", () => {
  const diff = change(
    "src/app.test.ts",
    "-  expect(f()).toBe(1);",
    "+++ b/README.md",
    "+diff --git a/README.md b/README.md",
  );
  expect(reasons(diff)).not.toEqual([]);
});

test("text built to be slow is read as soon as any other", () => {
  const piece = fc.constantFrom(
    "it",
    "(",
    ".each",
    "'",
    '"',
    "lines",
    ":",
    " ",
    "9",
    "@",
    "#",
    "[",
    "-",
    "+",
    "\n",
    "assert",
    "_",
    "/",
    "test",
  );
  fc.assert(
    fc.property(piece, piece, fc.constantFrom(1, 50_000), (one, two, times) => {
      const line = `+${`${one}${two}`.repeat(times).replaceAll("\n", "\n+")}`;
      reasons(change("src/app.test.ts", line, line.replace(/^\+/u, "-")));
      guarded(change(`${one}${two}`.repeat(200).replaceAll("\n", ""), line));
    }),
    { numRuns: 60 },
  );
});
