// The data panel: ready sets, a file with its columns, the class of the next click.
import { el } from "./dom";
import { say } from "./i18n";
import { theme } from "./theme";
import type { Lane, SceneSpec, Setup } from "./types";

export interface Table { file: string; name: string; rows: number; columns: { name: string; number: boolean; classes: number }[] }
export interface DataHooks {
  change(data: Record<string, unknown>): void;
  upload(file: File): void;
  pick(kind: number): void;
  undo(): void; redo(): void; canUndo: boolean; canRedo: boolean;
}
export const MAX_FILE = 20 << 20;

export function dataPanel(spec: SceneSpec, setup: Setup, lane: Lane, table: Table | null, kind: number, hooks: DataHooks): HTMLElement {
  const known = spec.data!, now = setup.data, set = (now.set as string) ?? (now.file || now.rows ? "" : known.sets[0].name);
  const sized = known.sets.find((s) => s.name === set)?.sized;
  const n = (now.n as number) ?? known.n, seed = (now.seed as number) ?? 0;
  const change = (data: Record<string, unknown>) => hooks.change(data);
  const out = el("section", { class: "panel data", "aria-label": say("data.title") }, el("h2", {}, say("data.title")));
  out.append(el("div", { class: "control-head" }, el("label", { for: "data-set" }, say("data.set")),
    el("select", { id: "data-set", test: "data-set", onchange: (e: Event) => { const s = known.sets[(e.target as HTMLSelectElement).selectedIndex]; if (s) change(s.sized ? { set: s.name, n, seed } : { set: s.name }); } },
      known.sets.map((s) => el("option", { value: s.name, selected: s.name === set }, say(`data.sets.${s.name}`))),
      !set && el("option", { selected: true }, lane.points?.source || say("data.own")))));
  if (set && sized) {
    const field = el("input", { type: "number", class: "value", id: "data-n", min: 1, max: 20000, value: String(n), onchange: () => { const v = Math.round(Number(field.value)); if (v >= 1 && v <= 20000) change({ set, n: v, seed }); } });
    out.append(el("div", { class: "control-head" }, el("label", { for: "data-n" }, say("data.n")), field,
      el("button", { type: "button", onclick: () => change({ set, n, seed: seed + 1 }) }, say("data.again"))));
  }
  if (lane.points?.source) out.append(el("p", { class: "help" }, `${say("data.source")}: ${lane.points.source}`));
  if (known.classes > 1) {
    const t = theme();
    out.append(el("div", { class: "classes", role: "radiogroup", "aria-label": say("data.class") }, el("span", { class: "note" }, say("data.class")),
      Array.from({ length: known.classes }, (_, c) => el("button", { type: "button", role: "radio", "aria-checked": String(c === kind), class: `swatch${c === kind ? " on" : ""}`, style: null, "data-class": c, "aria-label": lane.points?.classes[c] ?? `${c + 1}`, onclick: () => hooks.pick(c) }, swatch(t.data[c], c)))));
  }
  out.append(el("p", { class: "help" }, say("data.edit")));
  const file = el("input", { type: "file", id: "data-file", test: "upload", accept: ".csv,.tsv,.txt,.parquet,.gz,.bz2,.xz", onchange: () => { const f = file.files?.[0]; if (f) hooks.upload(f); file.value = ""; } });
  out.append(el("div", { class: "buttons" },
    el("button", { type: "button", test: "undo", disabled: !hooks.canUndo, onclick: () => hooks.undo() }, say("data.undo")),
    el("button", { type: "button", test: "redo", disabled: !hooks.canRedo, onclick: () => hooks.redo() }, say("data.redo")),
    el("label", { class: "button", for: "data-file" }, say("data.upload")), file));
  if (table && now.file === table.file) {
    const picker = (key: string, names: string[], none: boolean) => el("div", { class: "control-head" }, el("label", { for: `col-${key}` }, say(`data.${key}`)),
      el("select", { id: `col-${key}`, test: `column-${key}`, onchange: (e: Event) => { const i = (e.target as HTMLSelectElement).selectedIndex - (none ? 1 : 0); change({ ...now, [key]: i < 0 ? null : names[i], edits: [] }); } },
        none && el("option", { selected: !now[key] }, say("data.none")), names.map((c) => el("option", { selected: now[key] === c }, c))));
    const numbers = table.columns.filter((c) => c.number).map((c) => c.name);
    out.append(picker("x", numbers, false), picker("y", numbers, false));
    if (known.classes) out.append(picker("class", table.columns.filter((c) => c.classes <= 6).map((c) => c.name), true));
  }
  return out;
}

function swatch(color: string, c: number): Element {
  const ns = "http://www.w3.org/2000/svg", root = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "path");
  root.setAttribute("viewBox", "0 0 20 20"); root.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ["M3 10a7 7 0 1 0 14 0a7 7 0 1 0-14 0", "M4 4h12v12H4z", "M10 2l8 8l-8 8l-8-8z", "M10 3l8 14H2z"][c % 4]);
  path.setAttribute("fill", color);
  root.append(path);
  return root;
}
