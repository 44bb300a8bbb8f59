/** An issue or pull request, by its repository's name. */
export interface Named {
  readonly owner: string;
  readonly name: string;
  readonly number: number;
}

const line =
  /^[ \t]{0,8}(?:[-*+][ \t]{1,4})?(?:\*\*)?(?:depends[ \t]on|blocked[ \t]by)(?:\*\*)?[ \t]{0,4}:?[ \t](.{1,1000})$/gimu;
const reference =
  /(?:https?:\/\/[^\s/]{1,200}\/)?(?:([\w.-]{1,100})\/([\w.-]{1,100}))?(?:#|\/(?:issues|pull)\/)(\d{1,9})\b/gu;
/** More than a person would list; each is a question to the forge. */
const most = 20;

/**
 * What a text says it waits for: lines that begin with `Depends on` or `Blocked by`, and name issues as `#7`,
 * `owner/repo#7` or by their address.
 */
export function dependenciesIn(text: string, home: Pick<Named, "owner" | "name">): readonly Named[] {
  const found = new Map<string, Named>();
  for (const [, rest = ""] of text.matchAll(line)) {
    for (const [, owner = home.owner, name = home.name, number] of rest.matchAll(reference)) {
      const one = { owner, name, number: Number(number) };
      found.set(refOf(one).toLowerCase(), one);
    }
  }
  return [...found.values()].slice(0, most);
}

export const refOf = ({ owner, name, number }: Named): string => `${owner}/${name}#${number}`;
