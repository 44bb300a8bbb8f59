import { Sequence } from "./components.ts";
import type { Child, Node } from "./node.ts";

/** A tag is a call: JSX means nothing else here. */
export function jsx<Props>(component: (props: Props) => Node, props: Props): Node {
  return component(props);
}
export { jsx as jsxs, jsx as jsxDEV };
export const Fragment = Sequence;

export declare namespace JSX {
  type Element = Node;
  type ElementType = (props: never) => Child;
  interface ElementChildrenAttribute {
    readonly children: unknown;
  }
  interface IntrinsicElements {
    readonly [tag: string]: never;
  }
}
