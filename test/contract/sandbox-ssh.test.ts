import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { sshdBinary, startSshd } from "../adapters/sandbox/sshd.ts";
import { sandboxContract } from "./sandbox.contract.ts";
import { engineWritten, sandboxOfThisHost, stageOfThisHost } from "./sandboxes.ts";

const server = sshdBinary === undefined ? undefined : await startSshd();
afterAll(() => server?.close());
const { why } =
  server === undefined
    ? { why: "no sshd here: apt-get install openssh-server" }
    : await sandboxOfThisHost(
        engineWritten({
          engine: "ssh",
          hosts: [server.host("one")],
          stateDir: server.folder,
          configFile: server.configFile,
        }),
      ).probe();

// Where here and there are one machine, our own end reaches over by the mark before that host is told to end it.
const oneMachine = "our own sweep comes first here; ssh.test.ts shows it where it does not";
const asRoot = process.getuid?.() === 0;
const unwatched = "what is used on the other host is not watched from here";
describe.skipIf(why !== undefined)(`ssh${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  sandboxContract(
    "ssh",
    async (folder) => {
      if (server === undefined) throw new Error("there is no server");
      const written = engineWritten({
        engine: "ssh",
        hosts: [server.host("one", 4)],
        stateDir: join(folder, "state"),
        configFile: server.configFile,
      });
      return stageOfThisHost(written);
    },
    {
      "its environment is the one ordered and RUN_ID": "its search path is that of the other host",
      "a program that is not there is told apart from one that fails": "only the other host can tell",
      "SIGTERM is heard before anything is killed": oneMachine,
      ...(asRoot ? { "who starts more processes than allowed is ended": "the kernel exempts root" } : {}),
      "who fills the disk with many files is ended": unwatched,
      "who takes more memory than allowed is ended": unwatched,
    },
  );
});
