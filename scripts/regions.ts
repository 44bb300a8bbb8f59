/** Text of a page between `<!-- generated: NAME -->` and `<!-- end: NAME -->`, made from code; the rest is written by hand. */
export function withRegions(page: string, regions: Readonly<Record<string, string>>): string {
  return Object.entries(regions).reduce((text, [name, body]) => {
    const begin = `<!-- generated: ${name} -->`;
    const end = `<!-- end: ${name} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from < 0 || to < from) throw new Error(`the page has no region ${name}`);
    return `${text.slice(0, from + begin.length)}\n${body.trim()}\n${text.slice(to)}`;
  }, page);
}

/** A cell of a Markdown table: one line, and no bar that would end it. */
export const cell = (text: string): string =>
  text.replaceAll(/\s*\n\s*/gu, " ").replaceAll("|", String.raw`\|`);
