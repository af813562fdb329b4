/** The extension: starts the server, and shows what the language server protocol cannot show. */

import * as path from "path";
import * as vscode from "vscode";
import { ExecuteCommandSignature, LanguageClient, LanguageClientOptions, ServerOptions } from "vscode-languageclient/node";
import { Gutter } from "./gutter";
import { Item, Layers } from "./layers";
import { inWords, PackageStatus } from "./protocol";

let client: LanguageClient | undefined;
/** Holds the texts of counterexamples while they are shown. */
let storage: vscode.Uri;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  storage = context.globalStorageUri;
  const layers = new Layers(() => client);
  const gutter = new Gutter(context);
  const status = vscode.window.createStatusBarItem(vscode.StatusBarAlignment.Left);
  status.command = "cspec.layers.focus";
  const show = async () => {
    await layers.refresh();
    gutter.show(layers.all(), settings().get("gutterIcons", true));
    showStatus(status, layers.all().map((it) => it.status));
  };
  const start = async () => {
    client = newClient();
    client.onNotification("cspec/status", show);
    await client.start();
    await show();
  };
  const restart = async () => {
    await client?.stop();
    await start();
  };
  context.subscriptions.push(
    gutter,
    status,
    vscode.window.registerTreeDataProvider("cspec.layers", layers),
    vscode.window.onDidChangeVisibleTextEditors(() => gutter.show(layers.all(), settings().get("gutterIcons", true))),
    vscode.workspace.onDidChangeConfiguration(async (it) => {
      if (it.affectsConfiguration("cspec.server") || it.affectsConfiguration("cspec.semanticTokens")) {
        await restart();
      }
    }),
    vscode.commands.registerCommand("cspec.restart", restart),
    vscode.commands.registerCommand("cspec.checkAll", () => command("cspec.check")),
    vscode.commands.registerCommand("cspec.stopRun", () => command("cspec.stop")),
    vscode.commands.registerCommand("cspec.checkAtScope", () => checkAtScope({})),
    vscode.commands.registerCommand("cspec.openCounterexample", (item: Item) =>
      openCounterexample({ package: item.package.status.package, obligation: item.node?.counterexample ?? "" }),
    ),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

function settings(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration("cspec");
}

function newClient(): LanguageClient {
  const path = settings().get("server.path", "");
  const run = path === "" ? { command: "cargo-cspec", args: ["lsp"] } : { command: path, args: [] };
  const server: ServerOptions = { run, debug: run };
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file", language: "rust" }],
    initializationOptions: { ...settings(), status: true },
    synchronize: { configurationSection: "cspec" },
    middleware: {
      executeCommand,
      workspace: {
        // The view and the gutter need the notifications about runs.
        configuration: async (params, token, next) => {
          const answer = await next(params, token);
          return Array.isArray(answer) ? answer.map((it) => ({ ...it, status: true })) : answer;
        },
        didChangeConfiguration: async () => {
          await client?.sendNotification("workspace/didChangeConfiguration", {
            settings: { ...settings(), status: true },
          });
        },
      },
    },
  };
  return new LanguageClient("cspec", "cspec", server, options);
}

/** Server commands behind code lenses: some ask for input first, or show the result. */
async function executeCommand(name: string, args: unknown[], next: ExecuteCommandSignature): Promise<unknown> {
  switch (name) {
    case "cspec.runAtScope":
      return checkAtScope((args[0] ?? {}) as { package?: string });
    case "cspec.showCounterexample":
      return openCounterexample(args[0] as Obligation);
    default:
      return next(name, args);
  }
}

function command(name: string, argument?: unknown): Promise<unknown> | undefined {
  return client?.sendRequest("workspace/executeCommand", { command: name, arguments: argument === undefined ? [] : [argument] });
}

async function checkAtScope(argument: { package?: string }): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: "Check at a scope",
    prompt: "Bounds that replace the defaults",
    value: "pid=4,entries=3,int=3",
    validateInput: (it) => (scope(it) === undefined ? "Write bounds as pid=4,entries=3,int=3,scalar=2" : undefined),
  });
  if (text !== undefined) {
    await command("cspec.runAtScope", { ...argument, scope: scope(text) });
  }
}

/** Reads `pid=4,entries=3`. */
function scope(text: string): Record<string, number> | undefined {
  const bounds = text.split(",").map((it) => it.trim().match(/^(pid|entries|int|scalar|budget)=([1-9][0-9]*)$/));
  return bounds.every((it) => it !== null) ? Object.fromEntries(bounds.map((it) => [it![1], Number(it![2])])) : undefined;
}

interface Obligation {
  package: string;
  obligation: string;
}

/** Opens a counterexample as a preview beside the editor. */
async function openCounterexample(obligation: Obligation): Promise<void> {
  const text = (await client?.sendRequest<string>("cspec/counterexample", obligation)) ?? "";
  const name = `Counterexample ${obligation.package} ${obligation.obligation}`.replace(/[^A-Za-z0-9]+/g, " ").trim();
  const document = vscode.Uri.joinPath(storage, `${name}.md`);
  await vscode.workspace.fs.writeFile(document, new TextEncoder().encode(withRelativeLinks(text, document)));
  await vscode.commands.executeCommand("markdown.showPreviewToSide", document);
}

/** The preview follows no links to `file:`, but it does follow those from file to file. */
function withRelativeLinks(markdown: string, document: vscode.Uri): string {
  const folder = path.posix.dirname(document.path);
  return markdown.replace(/^(\[\d+\]: )(file:[^#]*)#/gm, (_, name: string, target: string) => {
    const relative = path.posix.relative(folder, vscode.Uri.parse(target).path);
    return `${name}${encodeURI(relative)}#`;
  });
}

function showStatus(item: vscode.StatusBarItem, packages: PackageStatus[]): void {
  const running = packages.find((it) => it.phase === "running");
  const violated = packages.reduce((sum, it) => sum + it.verdicts.violated, 0);
  item.text = running ? `$(sync~spin) cspec ${running.done}/${running.total}` : violated > 0 ? `$(error) cspec ${violated}` : "$(layers) cspec";
  item.tooltip = packages.map((it) => `${it.package}: ${inWords(it.verdicts)}`).join("\n");
  if (packages.length > 0) {
    item.show();
  } else {
    item.hide();
  }
}
