import { z, type ZodType } from "zod";
import { Loop, Parallel } from "../components.ts";
import type { CallNode, Child } from "../node.ts";
import { leaf, type Leaf } from "../workflow.ts";
import { member, part, type Limit } from "./part.ts";

/** What became of one finding. */
export const Fixed = z.object({ note: z.string() });
export type Fixed = z.infer<typeof Fixed>;
/** Whether what was found is gone. */
export const Verified = z.object({ clean: z.boolean(), note: z.string() });
export type Verified = z.infer<typeof Verified>;

const scannedOf = <Finding>(finding: ZodType<Finding>) =>
  z.object({ is: z.enum(["clean", "exhausted"]), rounds: z.number(), left: z.array(finding) });
/** Names the leaf with what came of a scan. */
export const scanned = <Finding>(id: string, finding: ZodType<Finding>) => leaf(id, scannedOf(finding));

/** Finds what is wrong, fixes each finding side by side, verifies; again until nothing is found or it verifies clean. A fix that fails is found again. */
export function ScanFixVerify<Finding>(
  props: Limit & {
    readonly id: string;
    /** The shape of a finding. */
    readonly finding: ZodType<Finding>;
    /** Fixes at work at once. */
    readonly atOnce?: number;
    readonly scan: (order: { readonly leaf: Leaf<Finding[]>; readonly round: number }) => Child;
    readonly fix: (order: {
      readonly leaf: Leaf<Fixed>;
      readonly finding: Finding;
      readonly round: number;
    }) => Child;
    readonly verify: (order: {
      readonly leaf: Leaf<Verified>;
      readonly findings: readonly Finding[];
      readonly round: number;
    }) => Child;
  },
): CallNode {
  const { id, finding, max, onExhausted = "fail", atOnce = Infinity, scan, fix, verify } = props;
  const found = leaf("scan", z.array(finding));
  const verified = leaf("verify", Verified);
  const output = scannedOf(finding);
  return part({
    kind: "ScanFixVerify",
    id,
    output,
    render: (inside) => {
      const round = inside.iteration("round") + 1;
      const findings = inside.latest(found) ?? [];
      const fixes = findings.map((one, index) => {
        const named = leaf(`fix/${index + 1}`, Fixed);
        return member(inside, named, fix({ leaf: named, finding: one, round })).node;
      });
      const isClean = findings.length === 0 || inside.latest(verified)?.clean === true;
      return Loop({
        id: "round",
        max,
        onExhausted,
        until: isClean,
        children: [
          scan({ leaf: found, round }),
          Parallel({ max: atOnce, children: fixes }),
          findings.length === 0 ? undefined : verify({ leaf: verified, findings, round }),
        ],
      });
    },
    result: (inside) => {
      const findings = inside.output(found);
      const isClean = findings.length === 0 || inside.output(verified).clean;
      return output.parse({
        is: isClean ? "clean" : "exhausted",
        rounds: inside.iteration("round"),
        left: isClean ? [] : findings,
      });
    },
  });
}
