/** Reads what a scrape answers as strictly as the formats are written down; throws at whatever does not fit. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/u;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/u;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/uy;

export function readPrometheus(text: string, format: "text" | "openmetrics"): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const lines = text.split("\n").slice(0, -1);
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new Error("no # EOF at the end");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: Family | undefined;
  let help: { readonly name: string; readonly text: string } | undefined;
  for (const line of lines) {
    if (line === "") {
      if (format === "openmetrics") throw new Error("an empty line");
      continue;
    }
    const [, word, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/u.exec(line) ?? [];
    if (word === "HELP") {
      help = { name, text: rest };
    } else if (word === "TYPE") {
      if (!metricName.test(name) || families.has(name)) throw new Error(`not a family of its own: ${line}`);
      if (!["counter", "gauge", "histogram", "summary"].includes(rest)) throw new Error(`no type: ${line}`);
      if (help?.name !== name) throw new Error(`no help for ${name}`);
      current = { name, type: rest, help: help.text, samples: [] };
      families.set(name, current);
    } else if (line.startsWith("#")) {
      throw new Error(`neither help nor type: ${line}`);
    } else {
      const sample = sampleOf(line);
      if (
        current === undefined ||
        !endings(current.type, format).includes(sample.name.slice(current.name.length))
      )
        throw new Error(`${line} is not of the family ${current?.name}`);
      if (!sample.name.startsWith(current.name)) throw new Error(`${line} is not of ${current.name}`);
      const series = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted(([one], [other]) => one.localeCompare(other)))}`;
      if (seen.has(series)) throw new Error(`told twice: ${line}`);
      seen.add(series);
      if (current.type === "counter" && sample.value < 0) throw new Error(`below zero: ${line}`);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) if (family.type === "histogram") checkHistogram(family);
  return families;
}

const endings = (type: string, format: "text" | "openmetrics"): readonly string[] => {
  if (type === "histogram") return ["_bucket", "_sum", "_count"];
  if (type === "summary") return ["", "_sum", "_count"];
  return type === "counter" && format === "openmetrics" ? ["_total"] : [""];
};

function sampleOf(line: string): Family["samples"][number] {
  const [, name, inner, number = ""] = sampleLine.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const value = number === "+Inf" ? Infinity : number === "Nan" || number === "NaN" ? NaN : Number(number);
  if (number === "" || (Number.isNaN(value) && !/^nan$/iu.test(number)))
    throw new Error(`no number: ${line}`);
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  for (let at = 0; inner !== undefined && at < inner.length; at = labelPair.lastIndex) {
    const [pair, label = "", text = ""] = labelPair.exec(inner) ?? [];
    if (pair === undefined || label in labels) throw new Error(`no labels: ${line}`);
    labels[label] = text.replaceAll(/\\(["\\n])/gu, (_, one: string) => (one === "n" ? "\n" : one));
  }
  return { name, labels, value };
}

/** Buckets only grow, the last is `+Inf` and says what `_count` says. */
function checkHistogram({ name, samples }: Family): void {
  const groups = Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: undefined }));
  for (const [labels, group] of groups) {
    const buckets = group.filter((one) => one.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le } }) => (le === "+Inf" ? Infinity : Number(le)));
    if (bounds.some((bound, at) => at > 0 && bound <= (bounds[at - 1] ?? 0)) || bounds.at(-1) !== Infinity)
      throw new Error(`bounds of ${name}${labels} do not grow to +Inf`);
    if (buckets.some(({ value }, at) => at > 0 && value < (buckets[at - 1]?.value ?? 0)))
      throw new Error(`buckets of ${name}${labels} shrink`);
    const count = group.find((one) => one.name === `${name}_count`)?.value;
    if (count !== buckets.at(-1)?.value) throw new Error(`count of ${name}${labels}`);
    if (!group.some((one) => one.name === `${name}_sum`)) throw new Error(`no sum of ${name}${labels}`);
  }
}
