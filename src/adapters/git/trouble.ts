/** What goes wrong with git, in plain words and without a secret. */
import { Trouble } from "../../ports.ts";

/** Kept of what git said. */
const tailLength = 1000;

const kinds: readonly {
  readonly says: RegExp;
  readonly code: string;
  readonly why: string;
  readonly permanent: boolean;
}[] = [
  {
    says: /ENOENT/,
    code: "git-missing",
    why: "git was not found. Install git 2.38 or newer.",
    permanent: true,
  },
  {
    says: /Authentication failed|could not read Username|error: 40[13]/,
    code: "git-auth",
    why: "the forge refused our credentials.",
    permanent: false,
  },
  {
    says: /repository .* not found|error: 404/i,
    code: "git-missing-repo",
    why: "the repository is not there for us.",
    permanent: true,
  },
  {
    says: /said more than \d+ bytes/,
    code: "git-too-large",
    why: "the change is larger than can be read. Leave large and generated files out of it and try again.",
    permanent: true,
  },
  {
    says: /No space left|Disk quota exceeded/,
    code: "disk-full",
    why: "the disk is full.",
    permanent: false,
  },
  {
    says: /index\.lock': File exists/,
    code: "git-index-held",
    why: "another git is at work in that folder. If none is, one was killed there: remove the file named here and try again.",
    permanent: false,
  },
  {
    says: /branch is currently checked out/,
    code: "git-checked-out",
    why: "you have that branch checked out. Switch away from it (to look at it, `git switch --detach BRANCH`), then `forgehand retry`.",
    permanent: true,
  },
  {
    says: /error: 30[1-8]/,
    code: "git-elsewhere",
    why: "the forge has the repository at another address now, where nothing of ours is sent. Its new name is learnt with the next event or look at the forge.",
    permanent: false,
  },
  {
    says: /\[remote rejected\]/,
    code: "git-rejected",
    why: "a rule of the repository refused the push.",
    permanent: true,
  },
  {
    says: /Could not resolve|Failed to connect|Connection (refused|reset)|unable to access|early EOF|took too long/,
    code: "git-network",
    why: "the forge was not reachable.",
    permanent: false,
  },
];

/** The trouble behind what git said, with every form of the secret taken out. */
export function gitTrouble(verb: string, said: string, header: string | undefined): Trouble {
  const kind = kinds.find(({ says }) => says.test(said)) ?? {
    code: "git-failed",
    why: "it failed.",
    permanent: false,
  };
  let text = said.replace(/(https?:\/\/)[^/@\s]+@/g, "$1");
  for (const secret of formsOf(header)) text = text.replaceAll(secret, "[secret]");
  return new Trouble(kind.code, `git ${verb}: ${kind.why} ${text.trim().slice(-tailLength)}`, {
    permanent: kind.permanent,
  });
}

/** The header, its credential, and the user name and token inside it; longest first. */
function formsOf(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  const credential = header.replace(/^\S+\s+/, "");
  const plain = Buffer.from(credential, "base64").toString("utf8");
  const token = plain.slice(plain.indexOf(":") + 1);
  // Short strings are never tokens, and replacing them would make the text unreadable.
  return [header, credential, plain, token].filter((form) => form.length >= 6);
}

/** Permanent trouble with a place on this host, which a person must look at. */
export function placeTrouble(
  code: "git-path" | "git-tampered" | "git-nested" | "git-leftover",
  text: string,
) {
  return new Trouble(code, text, { permanent: true });
}
