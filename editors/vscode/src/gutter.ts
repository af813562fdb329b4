/** Icons beside declarations: the worst verdict on each. */

import * as vscode from "vscode";
import { Node, Package } from "./protocol";

const KINDS = ["proved", "checked", "searched", "violated", "not shown", "undecided", "stale"] as const;
type Kind = (typeof KINDS)[number];

export class Gutter implements vscode.Disposable {
  private readonly types: Map<Kind, vscode.TextEditorDecorationType>;

  constructor(context: vscode.ExtensionContext) {
    const type = (kind: Kind) =>
      vscode.window.createTextEditorDecorationType({
        gutterIconPath: context.asAbsolutePath(`media/${kind.replace(" ", "-")}.svg`),
        gutterIconSize: "70%",
      });
    this.types = new Map(KINDS.map((kind) => [kind, type(kind)]));
  }

  /** Shows the verdicts of these packages in all visible editors. */
  show(packages: readonly Package[], enabled: boolean): void {
    const nodes = enabled ? packages.flatMap((it) => [...it.stacks, ...it.others]).flatMap(flat) : [];
    for (const editor of vscode.window.visibleTextEditors) {
      const here = nodes.filter((it) => it.location?.uri === editor.document.uri.toString());
      for (const [kind, type] of this.types) {
        const lines = here.filter((it) => kindOf(it) === kind).map((it) => it.location!.range.start.line);
        editor.setDecorations(type, [...new Set(lines)].map((line) => new vscode.Range(line, 0, line, 0)));
      }
    }
  }

  dispose(): void {
    this.types.forEach((it) => it.dispose());
  }
}

function flat(node: Node): Node[] {
  return [node, ...node.children.flatMap(flat)];
}

function kindOf({ verdicts }: Node): Kind | null {
  const isOld = verdicts.stale > 0 || verdicts.waiting > 0;
  const { worst } = verdicts;
  return isOld && worst !== "violated" && worst !== "not shown" && worst !== null ? "stale" : worst;
}
