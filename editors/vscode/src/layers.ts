/** The view with the stacks of layers and their verdicts. */

import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";
import { icon, inWords, Node, Package } from "./protocol";

/** A node, with the package that it belongs to. */
export interface Item {
  package: Package;
  node: Node | null;
}

export class Layers implements vscode.TreeDataProvider<Item> {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private packages: Package[] = [];

  constructor(private readonly client: () => LanguageClient | undefined) {}

  /** All packages, as of the last request. */
  all(): readonly Package[] {
    return this.packages;
  }

  /** Requests the packages from the server again. */
  async refresh(): Promise<void> {
    const client = this.client();
    this.packages = client?.isRunning() ? await client.sendRequest<Package[]>("cspec/layers") : [];
    this.changed.fire();
  }

  getChildren(item?: Item): Item[] {
    if (item === undefined) {
      return this.packages.map((it) => ({ package: it, node: null }));
    }
    const nodes = item.node === null ? [...item.package.stacks, ...item.package.others] : item.node.children;
    return nodes.map((node) => ({ package: item.package, node }));
  }

  getTreeItem(item: Item): vscode.TreeItem {
    return item.node === null ? packageItem(item.package) : nodeItem(item.node);
  }
}

function packageItem({ status }: Package): vscode.TreeItem {
  const shown = new vscode.TreeItem(status.package, vscode.TreeItemCollapsibleState.Expanded);
  const phase = status.broken
    ? "stale: the brackets do not match"
    : { notRun: "not run", queued: "queued", running: `running ${status.done}/${status.total}`, settled: "" }[status.phase];
  shown.description = [inWords(status.verdicts), phase].filter((it) => it !== "").join(" · ");
  shown.iconPath =
    status.phase === "running" ? new vscode.ThemeIcon("sync~spin") : themed(icon(status.verdicts));
  return shown;
}

function nodeItem(node: Node): vscode.TreeItem {
  const open = { stack: vscode.TreeItemCollapsibleState.Expanded }[node.kind as string];
  const closed = node.children.length > 0 ? vscode.TreeItemCollapsibleState.Collapsed : undefined;
  const shown = new vscode.TreeItem(node.name, open ?? closed ?? vscode.TreeItemCollapsibleState.None);
  shown.description = [node.mover ?? "", inWords(node.verdicts)].filter((it) => it !== "").join(" · ");
  shown.tooltip = `${node.kind} ${node.name} ${node.detail}`;
  shown.iconPath = themed(icon(node.verdicts));
  shown.contextValue = node.counterexample === null ? node.kind : "refuted";
  if (node.location !== null) {
    const { start, end } = node.location.range;
    const selection = new vscode.Range(start.line, start.character, end.line, end.character);
    const uri = vscode.Uri.parse(node.location.uri);
    shown.command = { title: "Open", command: "vscode.open", arguments: [uri, { selection }] };
  }
  return shown;
}

function themed({ id, color }: { id: string; color: string }): vscode.ThemeIcon {
  return new vscode.ThemeIcon(id, new vscode.ThemeColor(color));
}
