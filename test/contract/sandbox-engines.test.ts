/**
 * The contract on real engines, where there are any: a Docker engine with the image FORGEHAND_TEST_IMAGE (Debian or like
 * it, with bash, git and node), and a cluster that may run it in the namespace FORGEHAND_TEST_NAMESPACE.
 */
import { join } from "node:path";
import { describe } from "vitest";
import { engineWritten, sandboxOfThisHost, stageOfThisHost } from "./sandboxes.ts";
import { sandboxContract } from "./sandbox.contract.ts";

const image = process.env["FORGEHAND_TEST_IMAGE"] ?? "node:24-bookworm";
const namespace = process.env["FORGEHAND_TEST_NAMESPACE"];
const ofTheImage = "its search path is the image's own";
const onlyInside = "only the engine can tell";

const docker = engineWritten({ engine: "docker", image, namespace: "", stateDir: "" });
const dockerSays = await sandboxOfThisHost(docker).probe();
const noDocker = dockerSays.found ? dockerSays.why : (dockerSays.why ?? "there is no docker");
describe.skipIf(noDocker !== undefined)(
  `docker${noDocker === undefined ? "" : ` (skipped: ${noDocker})`}`,
  () => {
    sandboxContract("docker", async () => stageOfThisHost(docker), {
      "its environment is the one ordered and RUN_ID": ofTheImage,
      "a program that is not there is told apart from one that fails": onlyInside,
      "with an open one, the host is reached": "a container's loopback is not the host's",
    });
  },
);

const pods = (stateDir: string): string =>
  engineWritten({ engine: "kubernetes", image, namespace: namespace ?? "default", stateDir });
const clusterSays = namespace === undefined ? undefined : await sandboxOfThisHost(pods("")).probe();
const noCluster = clusterSays === undefined ? "FORGEHAND_TEST_NAMESPACE is not set" : clusterSays.why;
describe.skipIf(noCluster !== undefined)(
  `kubernetes${noCluster === undefined ? "" : ` (skipped: ${noCluster})`}`,
  () => {
    sandboxContract("kubernetes", async (folder) => stageOfThisHost(pods(join(folder, "state"))), {
      "its environment is the one ordered and RUN_ID": ofTheImage,
      "a program that is not there is told apart from one that fails": onlyInside,
      "with an open one, the host is reached": "a pod's loopback is not this host's",
      "with one for its model, it reaches that and nothing else": "our proxy is not led into a pod",
      "who starts more processes than allowed is ended":
        "a cluster limits the processes of a pod by its own setting",
      "who fills the disk with many files is ended": "the cluster evicts such a pod in its own time",
    });
  },
);
