/** What of this host every confined process sees, read-only: the system, and where its programs are installed. */
import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";

/** One mount: where it lies on the host, and what it becomes inside, under the same name. */
export type Mount = readonly [how: "--ro-bind" | "--symlink", from: string, to: string];

/** Not /opt: whole services lie there, their settings beside them. */
export const systemFolders: readonly string[] = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/nix/store",
];
/** Of /etc only what programs cannot do without: keys, passwords and the system's git configuration lie there too. */
const settings = [
  "alternatives",
  "bash.bashrc",
  "ca-certificates",
  "debian_version",
  "fonts",
  "group",
  "host.conf",
  "hosts",
  "java-17-openjdk",
  "java-21-openjdk",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "magic",
  "mime.types",
  "nsswitch.conf",
  "os-release",
  "passwd",
  "pki/tls/certs",
  "pki/ca-trust",
  "profile",
  "protocols",
  "resolv.conf",
  "services",
  "shells",
  "ssl/certs",
  "ssl/openssl.cnf",
  "terminfo",
  "timezone",
];

/** The system's own folders; those that are links stay links. */
export function systemMounts(): readonly Mount[] {
  return [...systemFolders, ...settings.map((name) => join("/etc", name))].flatMap(
    (path): readonly Mount[] => {
      if (!existsSync(path)) return [];
      const link = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
      if (link !== undefined && dirname(path) === "/") return [["--symlink", link, path]];
      return [["--ro-bind", realpathSync(path), path]];
    },
  );
}

/**
 * Where programs are installed outside the system: the folders of the search path, and the packages they and this
 * program belong to. Never a folder that holds one of the private ones.
 */
export function programFolders(
  program: string,
  searchPath: string | undefined,
  isPrivate: (path: string) => boolean,
): readonly string[] {
  const folders = (searchPath ?? "").split(":").filter((folder) => isAbsolute(folder) && existsSync(folder));
  const real = existsSync(program) ? realpathSync(program) : undefined;
  const wanted = [
    ...folders.flatMap((folder) => [folder, packagesBeside(folder)]),
    ...(real === undefined ? [] : [packageOf(real) ?? real]),
  ];
  return [...new Set(wanted)].filter(
    (path): path is string =>
      path !== undefined && existsSync(path) && !isOfSystem(path) && !isPrivate(realpathSync(path)),
  );
}

/** A folder of executables beside the packages these are links into: `bin` and `lib/node_modules`, or `.bin`. */
const packagesBeside = (folder: string): string | undefined =>
  basename(folder) === ".bin" ? dirname(folder) : join(dirname(folder), "lib", "node_modules");

/** The outermost `node_modules` that holds the file; its packages find one another there. */
function packageOf(path: string): string | undefined {
  const at = path.indexOf("/node_modules/");
  return at === -1 ? undefined : path.slice(0, at + "/node_modules".length);
}

const isOfSystem = (path: string): boolean =>
  systemFolders.some((folder) => path === folder || path.startsWith(`${folder}/`));
