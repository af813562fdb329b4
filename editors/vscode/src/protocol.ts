/** Extensions of the protocol; `docs/editors.md` describes them. */

import { Location } from "vscode-languageclient/node";

export type Verdict = "proved" | "checked" | "searched" | "violated" | "not shown" | "undecided";

/** The number of obligations by verdict. */
export interface Counts {
  proved: number;
  checked: number;
  searched: number;
  violated: number;
  not_shown: number;
  undecided: number;
  stale: number;
  waiting: number;
  worst: Verdict | null;
}

/** The status of a package. */
export interface PackageStatus {
  package: string;
  phase: "notRun" | "queued" | "running" | "settled";
  done: number;
  total: number;
  broken: boolean;
  verdicts: Counts;
}

/** A declaration. */
export interface Node {
  kind: "layer" | "operation" | "implementation" | "procedure" | "stack" | "client";
  name: string;
  detail: string;
  location: Location | null;
  verdicts: Counts;
  mover: string | null;
  counterexample: string | null;
  children: Node[];
}

/** A package as a tree. */
export interface Package {
  status: PackageStatus;
  stacks: Node[];
  others: Node[];
}

/** Verdicts in words, the worst first. */
export function inWords(counts: Counts): string {
  const parts: [number, string][] = [
    [counts.violated, "violated"],
    [counts.not_shown, "not shown"],
    [counts.undecided, "undecided"],
    [counts.searched, "searched"],
    [counts.checked, "checked to scope"],
    [counts.proved, "proved"],
    [counts.waiting, "without a verdict"],
    [counts.stale, "stale"],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(" · ");
}

/** The icon of the worst verdict. A stale or missing verdict never looks like a success. */
export function icon(counts: Counts): { id: string; color: string } {
  switch (counts.worst) {
    case "violated":
      return { id: "error", color: "testing.iconFailed" };
    case "not shown":
      return { id: "warning", color: "testing.iconFailed" };
    case "undecided":
      return { id: "question", color: "testing.iconQueued" };
    case "searched":
    case "checked":
    case "proved":
      if (counts.stale > 0 || counts.waiting > 0) {
        return { id: "history", color: "testing.iconSkipped" };
      }
      return { id: counts.worst === "proved" ? "pass-filled" : "pass", color: "testing.iconPassed" };
    default:
      return { id: "circle-outline", color: "testing.iconUnset" };
  }
}
