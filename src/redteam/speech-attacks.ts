/** What agents and strangers say, where forgehand repeats it: it calls nobody, closes nothing, hides nothing, and leaks nothing. */
import { block } from "../says.ts";
import { findingText } from "../says-review.ts";
import { slug } from "../shell/slug.ts";
import { keyOf } from "../adapters/git/paths.ts";
import { linearMarkdown } from "../adapters/linear/markdown.ts";
import { secretShapes } from "./honey.ts";
import type { Attack, Parts } from "./attack.ts";

const words: Readonly<Record<string, string>> = {
  "a mention": "@ada look",
  "a mention in entities": "&commat;ada &#64;ada look",
  "a mention of a team": "@acme/security look",
  "a word that closes an issue": "Fixes #1",
  "a word that closes another's issue": "closes acme/web#1 and resolves GH-2",
  "a marker of ours": "<!-- forgehand:workpad -->\n## forgehand workpad",
  "an image that tells who looked": '<img src="https://evil.example/x.png">',
  "a heading": "\r# All is well, merge it",
};

/** What the forge would hear in Markdown that it renders. */
const heard =
  /(?<!\w)@(?:ada|acme)\b|(?<!amp;)(?:commat;|#64;)ada|<!--|<img|\b(?:fix(?:es)?|close[sd]?|resolve[sd]?) (?:#|acme\/web#|GH-)\d|^# /imu;

const spoken: readonly Attack[] = Object.entries(words).flatMap(([how, text]) => [
  repeated("summary of an agent", how, () => block(text)),
  repeated("finding of a reviewer", how, () =>
    findingText({ grade: "polish", title: text, body: text, path: undefined, line: undefined }),
  ),
]);
function repeated(field: string, how: string, say: (parts: Parts) => string): Attack {
  return {
    id: `${field.replaceAll(/\W+/gu, "-")}/${how.replaceAll(/\W+/gu, "-")}`,
    field,
    how,
    play: (parts) => (heard.test(say(parts)) ? "the forge would obey what it repeats" : undefined),
  };
}

const commits: readonly Attack[] = Object.entries({
  "an order to skip checks": "Say done [skip ci]",
  "an order in two halves": "Say done [skip [skip ci] ci]",
  "an order by a trailer": "Say done\n\nskip-checks: true",
  "somebody else as an author": "Say done\n\nCo-authored-by: Ada <ada@example.com>",
  "somebody who vouches": "Say done\n\nSigned-off-by: Ada <ada@example.com>",
  "a trailer of ours": "Say done\n\nForgehand-Reviewed-By: codex",
  "a word that closes an issue": "Fixes #1",
  "a mention": "@ada look",
  "a hidden order": "Say done <!-- Fixes #1 -->",
  "a reversed order": "Say done \u202E1# sexiF\u202C",
}).map(([how, text]) => ({
  id: `commit/${how.replaceAll(/\W+/gu, "-")}`,
  field: "message of a commit",
  how,
  play: ({ forCommit }) =>
    /\[skip ci\]|skip-checks\s*:|^(?:co-authored|signed-off|forgehand-reviewed)-by:|\bfixes #1\b|@ada\b|<!--|\u202E/imu.test(
      forCommit(text),
    )
      ? "the commit would say it in our name"
      : undefined,
}));

const secrets: readonly Attack[] = Object.entries(secretShapes).flatMap(([kind, secret]) =>
  [
    ["a sentence", `I found ${secret} there.`],
    ["JSON", JSON.stringify({ token: secret })],
    ["a URL", `https://x:${secret}@example.com/`],
  ]
    // A key of several lines is none in a URL.
    .filter(([where]) => where !== "a URL" || !secret.includes("\n"))
    .map(([where = "", text = ""]) => ({
      id: `speech-secret/${`${kind} ${where}`.replaceAll(/\W+/gu, "-")}`,
      field: "secret in what an agent says",
      how: `a ${kind} in ${where}`,
      play: ({ redact }: Parts) => {
        const left = redact(text);
        return secret
          .split("\n")
          .some((line) => line.length > 30 && !line.startsWith("-----") && left.includes(line))
          ? "the secret is repeated"
          : undefined;
      },
    })),
);

const names: readonly Attack[] = [
  "../../../../etc/passwd",
  "--upload-pack=touch /tmp/x",
  "$(touch /tmp/x) `touch /tmp/x`; touch /tmp/x",
  "refs/heads/main",
  ".lock",
  "-",
  "a\u0000b\nc",
  "x".repeat(5_000),
].map((title, index) => ({
  id: `name/${index + 1}`,
  field: "name of a branch or a folder",
  how: `a title or key that is ${JSON.stringify(title.slice(0, 30))}`,
  play: () => {
    if (!/^[a-z0-9][a-z0-9-]{0,39}$/u.test(slug(title)))
      return "the branch would bear more than plain letters";
    const key = keyOf(title);
    return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/u.test(key) && !key.includes("..")
      ? undefined
      : "the folder would lie elsewhere";
  },
}));

const onLinear: readonly Attack[] = ["@ada", "![x](https://evil.example/x.png)", "<img src=x>"].map(
  (text) => ({
    id: `linear-speech/${text.replaceAll(/\W+/gu, "-")}`,
    field: "words that are repeated on Linear",
    how: text,
    play: () => {
      // Only what is quoted is somebody else's, so it is quoted first, as every text of ours is.
      const said = linearMarkdown(block(text));
      return /(?<!\\)<img|(?<![\w\u200b])@ada\b/u.test(said)
        ? "Linear would obey what is repeated there"
        : undefined;
    },
  }),
);

export const speechAttacks: readonly Attack[] = [...spoken, ...commits, ...secrets, ...names, ...onLinear];
