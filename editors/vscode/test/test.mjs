// Uses VS Code as a user does, in a headless browser: opens the mail server, sees its layers and no findings, makes a mistake, sees
// the squiggle at the right place, reads the counterexample, applies the quick fix, and sees the finding disappear. Run by `run.sh`.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const PATIENCE = 120_000;
const here = import.meta.dirname;
const repository = path.resolve(here, "../../..");
const editor = path.join(here, "node_modules/code-server/out/node/entry.js");
const [pictures] = process.argv.slice(2).filter((it) => it !== "");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cspec-vscode-"));
const workspace = path.join(folder, "mail-server");
const folders = ["--user-data-dir", path.join(folder, "data"), "--extensions-dir", path.join(folder, "extensions")];
const environment = { ...process.env, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };

/** A copy of the mail server, and an editor with the extension in it. */
function prepare() {
  fs.mkdirSync(workspace);
  fs.cpSync(path.join(repository, "cmail/src"), path.join(workspace, "src"), { recursive: true });
  const manifest = '[package]\nname = "cmail"\nedition = "2024"\n[package.metadata.cspec]\n[workspace]\n';
  fs.writeFileSync(path.join(workspace, "Cargo.toml"), manifest);
  fs.mkdirSync(path.join(folder, "data/User"), { recursive: true });
  const settings = {
    "cspec.server.path": process.env.CSPEC_LSP,
    "files.autoSave": "off",
    "security.workspace.trust.enabled": false,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": false,
    "workbench.colorTheme": "Default Light Modern",
    "editor.minimap.enabled": false,
    "extensions.ignoreRecommendations": true,
    "telemetry.telemetryLevel": "off",
    "chat.commandCenter.enabled": false,
  };
  fs.writeFileSync(path.join(folder, "data/User/settings.json"), JSON.stringify(settings));
  const install = [editor, ...folders, "--install-extension", path.join(here, "../cspec.vsix")];
  const { status, stdout, stderr } = spawnSync(process.execPath, install, { encoding: "utf8", env: environment });
  assert.equal(status, 0, `the extension is not installed: ${stdout}${stderr}`);
}

/** Starts the editor; gives its process and its address. */
async function start() {
  const words = [editor, ...folders, "--auth", "none", "--bind-addr", "127.0.0.1:0"];
  const process_ = spawn(process.execPath, [...words, "--disable-telemetry", "--disable-update-check"], { env: environment });
  let told = "";
  const address = await new Promise((found, failed) => {
    const listen = (text) => {
      told += text;
      const address = told.match(/listening on (http:\S+)/);
      if (address) {
        found(address[1].replace(/\/$/, ""));
      }
    };
    process_.stdout.on("data", listen);
    process_.stderr.on("data", listen);
    process_.on("exit", () => failed(new Error(`the editor ended: ${told}`)));
  });
  return { process: process_, address };
}

let passed = 0;
function ok(what) {
  passed += 1;
  console.log(`ok: ${what}`);
}

async function use(page) {
  const picture = async (name) => {
    if (pictures) {
      await page.screenshot({ path: path.join(pictures, `vscode-${name}.png`) });
    }
  };
  const command = async (name) => {
    await page.keyboard.press("F1");
    await page.locator(".quick-input-widget input.input").fill(`>${name}`);
    await page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().waitFor();
    await page.keyboard.press("Enter");
  };
  const go = async (line, column) => {
    await page.keyboard.press("Control+g");
    await page.locator(".quick-input-widget input.input").fill(`:${line}:${column}`);
    await page.keyboard.press("Enter");
  };
  /** Waits for what has this text. Spaces in the editor are hard ones. */
  const shown = (selector, text) => page.locator(selector, { hasText: text }).first().waitFor();

  await page.locator(".monaco-workbench").waitFor();
  ok("the editor");
  await page.locator(".activitybar a[aria-label^='cspec']").click();
  await shown(".pane-body .monaco-list-row", /proved/);
  // Until everything is settled, the status bar shows a count.
  await shown(".statusbar-item", /cspec\s*$/);
  ok("the view with the layers");

  const layer = page.locator(".monaco-list-row", { has: page.getByText("Deliver", { exact: true }) });
  await layer.first().click();
  await shown(".tab", "deliver.rs");
  ok("a layer leads to its file");
  await shown(".codelens-decoration", /proved/);
  await shown(".view-line", /fn\slink_mail/);
  ok("verdicts above declarations");
  await page.locator(".cgmr[class*='ced-']").first().waitFor();
  ok("verdicts in the gutter");
  const findings = page.locator(".view-overlays .squiggly-error");
  assert.equal(await findings.count(), 0, "there are findings before there is a mistake");
  ok("no findings");
  await shown(".view-line", "(non)");
  ok("mover types as hints");
  await picture("verdicts");

  const file = fs.readFileSync(path.join(workspace, "src/layers/deliver.rs"), "utf8").split("\n");
  const operation = file.findIndex((it) => it.includes("fn link_mail(&mut self, me: Pid)"));
  assert.equal(file[operation - 1].trim(), "#[op]");
  await go(operation, file[operation - 1].indexOf("]") + 1);
  // Inserted at once: an incomplete word has a finding of its own, and the hover would show that one.
  await page.keyboard.insertText("(left)");
  await findings.first().waitFor();
  ok("a squiggle");
  await page.locator(".codelens-decoration", { hasText: "show counterexample" }).first().waitFor();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await command("Show or Focus Hover");
  await shown(".monaco-hover", /is\snot\sa\sleft\smover/);
  ok("what is wrong, under the claim");
  await page.locator(".codelens-decoration", { hasText: /queued|running|not\srun/ }).first().waitFor({ state: "detached" });
  ok("verdicts without a word on a run");
  await picture("mistake");
  await page.keyboard.press("Escape");

  await page.locator(".codelens-decoration a", { hasText: "show counterexample" }).first().click();
  await shown(".tab", /Counterexample/);
  const inner = page.frameLocator("iframe.webview").frameLocator("#active-frame");
  await inner.locator("table").first().waitFor();
  ok("the counterexample beside the text");
  await picture("counterexample");

  await inner.locator("table a", { hasText: "link_mail" }).first().click();
  await page.waitForFunction(
    (line) => document.querySelector(".active-line-number")?.textContent === String(line),
    operation + 1,
  );
  ok("a step leads to its place");
  await go(operation, file[operation - 1].indexOf("]") + 3);
  await page.locator("[class*=lightbulb], [class*=lightBulb]").first().waitFor();
  await page.keyboard.press("Control+.");
  await shown(".action-widget .monaco-list-row.focused", /Correct\sthe\sclaim/);
  ok("a quick fix");
  await picture("fix");
  await page.keyboard.press("Enter");
  await findings.first().waitFor({ state: "detached" });
  ok("no findings after the fix");
}

let server;
let browser;
let failed = 0;
try {
  prepare();
  server = await start();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`${server.address}/?folder=${workspace}`);
  try {
    await use(page);
  } catch (error) {
    await page.screenshot({ path: path.join(os.tmpdir(), "cspec-vscode-failed.png") });
    throw error;
  }
} catch (error) {
  failed = 1;
  console.error(error);
} finally {
  await browser?.close();
  server?.process.kill();
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed;
