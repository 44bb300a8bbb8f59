import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pack, type Header } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bringHome, rememberSent } from "../../../src/adapters/sandboxes/tree-home.ts";
import { packTrees } from "../../../src/adapters/sandboxes/tree-pack.ts";
import { lastName, receiveLimits, receiveTrees } from "../../../src/adapters/sandboxes/tree-receive.ts";

let folder: string;
const at = (path: string): string => join(folder, path);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "forgehand-tree-"));
  mkdirSync(at("home"));
  writeFileSync(at("outside"), "mine\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Entry = Partial<Header> & { readonly name: string; readonly body?: string };
const file = (name: string, body = "theirs\n"): Entry => ({ name, type: "file", body });
const dir = (name: string): Entry => ({ name, type: "directory" });
const symlink = (name: string, linkname: string): Entry => ({ name, type: "symlink", linkname });

async function tar(...entries: readonly Entry[]): Promise<Buffer> {
  const stream = pack();
  for (const { body, ...header } of entries) stream.entry(header, body ?? "");
  stream.finalize();
  return await buffer(Readable.from(stream, { objectMode: false }));
}
const whole = file(lastName, "");
const expected = [{ name: "f0", home: "", sent: new Map(), without: [".git"] }];
const receive = (bytes: Buffer, limits = receiveLimits) =>
  receiveTrees(Readable.from([bytes]), [{ ...expected[0]!, home: at("home") }], at("back"), limits);

describe("what comes back from where an agent ran", () => {
  const hostile: Readonly<Record<string, readonly Entry[]>> = {
    "a path that climbs out": [dir("f0"), file("f0/../../outside")],
    "a path that climbs within": [dir("f0"), dir("f0/a"), file("f0/a/../../outside")],
    "an absolute path": [file(`/tmp/forgehand-absolute-${process.pid}`)],
    "a folder that was never sent": [dir("f1"), file("f1/file")],
    "a file behind a link": [dir("f0"), symlink("f0/out", ".."), file("f0/out/outside")],
    "a file in a file": [dir("f0"), file("f0/a"), file("f0/a/b")],
    "a file without its folder": [dir("f0"), file("f0/a/b")],
    "a path that comes twice": [dir("f0"), symlink("f0/a", "/etc/passwd"), file("f0/a")],
    "a second name of a file outside": [dir("f0"), { name: "f0/a", type: "link", linkname: "/etc/passwd" }],
    "a second name that climbs out": [
      dir("f0"),
      { name: "f0/a", type: "link", linkname: "f0/../../outside" },
    ],
    "a second name of a link": [
      dir("f0"),
      symlink("f0/out", "/etc/passwd"),
      { name: "f0/a", type: "link", linkname: "f0/out" },
    ],
    "a name that is not UTF-8": [dir("f0"), file("f0/\uFFFD")],
    "an empty step": [dir("f0"), dir("f0/a"), file("f0/a//b")],
  };
  test.each(Object.entries(hostile))("%s is refused", async (_what, entries) => {
    const bytes = await tar(...entries, whole);
    await expect(receive(bytes)).rejects.toMatchObject({ code: "sandbox-refused", permanent: true });
    expect(readFileSync(at("outside"), "utf8")).toBe("mine\n");
    expect(readdirSync(folder).toSorted()).toEqual(["back", "home", "outside"]);
    expect(existsSync(`/tmp/forgehand-absolute-${process.pid}`)).toBe(false);
  });

  test("devices and pipes stay there, and permissions beyond the usual do too", async () => {
    const [listing] = await receive(
      await tar(
        dir("f0"),
        { name: "f0/pipe", type: "fifo" },
        { name: "f0/disk", type: "block-device", devmajor: 8, devminor: 0 },
        { ...file("f0/run"), mode: 0o6755 },
        whole,
      ),
    );
    expect([...(listing?.keys() ?? [])]).toEqual(["run"]);
    expect(lstatSync(at("back/f0/run")).mode & 0o7777).toBe(0o755);
  });

  test("more than is allowed is refused before it is written", async () => {
    const bytes = await tar(dir("f0"), file("f0/large", "x".repeat(5_000)), whole);
    await expect(receive(bytes, { bytes: 4_000, entries: 10 })).rejects.toMatchObject({
      code: "sandbox-refused",
    });
    expect(existsSync(at("back/f0/large"))).toBe(false);
    await expect(receive(bytes, { bytes: 9_000, entries: 1 })).rejects.toMatchObject({
      code: "sandbox-refused",
    });
  });

  test("second names of a file that stayed here count as what they take", async () => {
    writeFileSync(at("home/large"), "x".repeat(3_000));
    const { stream, listings } = packTrees([{ name: "f0", from: at("home"), without: [] }], []);
    await buffer(stream);
    const [sent = new Map()] = await listings;
    const twin = (name: string): Entry => ({ name: `f0/${name}`, type: "link", linkname: "f0/large" });
    const mode = lstatSync(at("home/large")).mode & 0o777;
    const large = { ...file("f0/large", "x".repeat(3_000)), mode };
    const back = await tar(dir("f0"), large, twin("a"), twin("b"), whole);
    const folders = [{ ...expected[0]!, home: at("home"), sent }];
    const taken = (most: number) =>
      receiveTrees(Readable.from([back]), folders, at("back"), { bytes: most, entries: 10 });
    await expect(taken(8_000)).rejects.toMatchObject({ code: "sandbox-refused", permanent: true });
    expect(readdirSync(at("back/f0"))).toEqual(["a"]);
    expect([...((await taken(9_000))[0]?.keys() ?? [])].toSorted()).toEqual(["a", "b", "large"]);
  });

  test("a stream that is cut, wherever it is, is no smaller tree", async () => {
    const bytes = await tar(dir("f0"), file("f0/a"), file("f0/b", "x".repeat(2_000)), whole);
    for (const length of [0, 300, 512, 1_024, 1_536, 2_048, 4_000, 4_096, 4_300])
      await expect(receive(bytes.subarray(0, length))).rejects.toMatchObject({
        code: "sandbox-cut-off",
        permanent: false,
      });
    await expect(receive(Buffer.from("no tar at all".repeat(100)))).rejects.toMatchObject({
      code: "sandbox-cut-off",
    });
  });
});

describe("bringing home", () => {
  const folders = () => [{ name: "f0", home: at("home"), without: [".git"] }];
  const send = async (): Promise<void> => {
    const { stream, listings } = packTrees([{ name: "f0", from: at("home"), without: ["f0/.git"] }], []);
    await buffer(stream);
    await rememberSent(at("state"), folders(), await listings);
  };
  const home = (bytes: Buffer) =>
    bringHome(at("state"), folders(), receiveLimits, (take) => take(Readable.from([bytes])));

  test("takes what changed there and leaves what changed here in the meantime", async () => {
    for (const name of ["both", "here", "there", "gone"]) writeFileSync(at(`home/${name}`), "sent\n");
    await send();
    writeFileSync(at("home/here"), "changed here\n");
    writeFileSync(at("home/new"), "made here\n");
    await home(
      await tar(
        dir("f0"),
        file("f0/both", "sent\n"),
        file("f0/here", "sent\n"),
        file("f0/there", "changed there\n"),
        whole,
      ),
    );
    const texts = Object.fromEntries(
      readdirSync(at("home")).map((name) => [name, readFileSync(at(`home/${name}`), "utf8")]),
    );
    expect(texts).toEqual({
      both: "sent\n",
      here: "changed here\n",
      new: "made here\n",
      there: "changed there\n",
    });
  });

  test("may be cut off between any two files and begun again without asking again", async () => {
    for (const name of ["a", "old"]) writeFileSync(at(`home/${name}`), "sent\n");
    mkdirSync(at("home/in"));
    writeFileSync(at("home/in/file"), "sent\n");
    await send();
    const bytes = await tar(dir("f0"), file("f0/a"), dir("f0/in"), file("f0/in/file"), whole);
    // What stands in the way of the second file cuts it off after the first.
    rmSync(at("home/in"), { recursive: true });
    symlinkSync("..", at("home/in"));
    await expect(home(bytes)).rejects.toThrow("behind a link");
    expect(readFileSync(at("home/a"), "utf8")).toBe("theirs\n");
    rmSync(at("home/in"));
    mkdirSync(at("home/in"));
    writeFileSync(at("home/a"), "later\n");
    await bringHome(at("state"), folders(), receiveLimits, () => Promise.reject(new Error("asked again")));
    expect(readdirSync(at("home")).toSorted()).toEqual(["a", "in"]);
    expect(readFileSync(at("home/a"), "utf8")).toBe("later\n");
    expect(readFileSync(at("home/in/file"), "utf8")).toBe("theirs\n");
  });

  test("what was never sent whole is not asked for", async () => {
    await bringHome(at("state"), folders(), receiveLimits, () => Promise.reject(new Error("asked")));
    expect(readdirSync(at("home"))).toEqual([]);
  });

  test("writes nothing behind a link that appeared here in the meantime", async () => {
    mkdirSync(at("home/in"));
    writeFileSync(at("home/in/file"), "sent\n");
    await send();
    rmSync(at("home/in"), { recursive: true });
    symlinkSync("..", at("home/in"));
    const bytes = await tar(
      dir("f0"),
      dir("f0/in"),
      file("f0/in/file", "sent\n"),
      file("f0/in/outside"),
      whole,
    );
    await expect(home(bytes)).rejects.toMatchObject({ code: "sandbox-refused" });
    expect(readFileSync(at("outside"), "utf8")).toBe("mine\n");
  });

  test("a file becomes a folder and a folder a file, and a second name a file of its own", async () => {
    writeFileSync(at("home/a"), "sent\n");
    writeFileSync(at("home/same"), "sent\n");
    mkdirSync(at("home/b"));
    writeFileSync(at("home/b/c"), "sent\n");
    await send();
    await home(
      await tar(
        dir("f0"),
        dir("f0/a"),
        file("f0/a/x"),
        file("f0/b"),
        { ...file("f0/same", "sent\n"), mode: lstatSync(at("home/same")).mode & 0o777 },
        { name: "f0/twin", type: "link", linkname: "f0/same" },
        whole,
      ),
    );
    expect(readFileSync(at("home/a/x"), "utf8")).toBe("theirs\n");
    expect(readFileSync(at("home/b"), "utf8")).toBe("theirs\n");
    expect(readFileSync(at("home/twin"), "utf8")).toBe("sent\n");
    expect(lstatSync(at("home/twin")).nlink).toBe(1);
  });
});

describe("sending", () => {
  test("a name that is not UTF-8 is said, not lost", async () => {
    writeFileSync(Buffer.concat([Buffer.from(at("home/")), Buffer.from([0xff, 0xfe])]), "");
    const { stream, listings } = packTrees([{ name: "f0", from: at("home"), without: [] }], []);
    stream.on("error", () => undefined).resume();
    await expect(listings).rejects.toMatchObject({ code: "sandbox-unsendable" });
  });

  test("long names, large files and empty folders arrive as they are", async () => {
    const long = `${"d".repeat(120)}/${"ä".repeat(100)}`;
    mkdirSync(at(`home/${"d".repeat(120)}`));
    mkdirSync(at("home/empty"));
    writeFileSync(at(`home/${long}`), "long\n");
    const large = Buffer.alloc(3_500_000, "forgehand ");
    writeFileSync(at("home/large"), large);
    const { stream, listings } = packTrees(
      [{ name: "f0", from: at("home"), without: [] }],
      [{ name: lastName, mode: 0o600, text: "" }],
    );
    const back = await receiveTrees(
      stream,
      [{ name: "f0", home: at("home"), sent: new Map(), without: [] }],
      at("back"),
    );
    const [sent] = await listings;
    expect(Object.fromEntries(back[0] ?? [])).toEqual(Object.fromEntries(sent ?? []));
    expect(back[0]?.get("large")?.holds).toBe(createHash("sha256").update(large).digest("hex"));
    expect(readFileSync(at(`back/f0/${long}`), "utf8")).toBe("long\n");
    expect(lstatSync(at("back/f0/empty")).isDirectory()).toBe(true);
  });
});
