// One stage for all scenes: pictures, transport, controls, the rule, the objective.
import { control } from "./controls";
import { decode } from "./codec";
import { dataPanel, MAX_FILE, type Table } from "./data";
import { el, save } from "./dom";
import { has, say, show, text } from "./i18n";
import { Objective } from "./objective";
import { PictureView, tableOf, type Hooks } from "./picture";
import { RuleView } from "./rule";
import { csvOf, fragmentOf, linkOf, pngOf, replayOf, svgOf } from "./share";
import { Live, type Source } from "./source";
import { Transport } from "./transport";
import type { Act, ControlSpec, Edit, Focus, SceneSpec, Setup, Shown } from "./types";

interface Moment { setup: Setup; t: number }
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value));

export function readFragment(fragment: string): { setup: Setup; t: number; task: string | null } {
  const [scene, packed] = fragment.split("/", 2);
  const held = (packed ? decode(packed) : {}) as Record<string, unknown>;
  return {
    setup: {
      scene, params: (held.params ?? {}) as Record<string, unknown>, data: (held.data ?? {}) as Record<string, unknown>,
      seed: (held.seed ?? 0) as number, actions: (held.actions ?? []) as Act[], beside: (held.beside ?? null) as Record<string, unknown> | null,
    },
    t: (held.t ?? 0) as number, task: (held.task ?? null) as string | null,
  };
}

export class Stage {
  node: HTMLElement;
  private spec: SceneSpec | null = null;
  private shown: Shown | null = null;
  private wanted = 0;
  private busy = false;
  private again = false;
  private fresh = true;
  private undone: Moment[] = [];
  private past: Moment[] = [];
  private checking = false;
  private asTable = false;
  private table: Table | null = null;
  private kind = 0;
  private pictures: PictureView[][] = [[], []];
  private focusWanted: { lane: number; focus: Focus | null } | null = null;
  private focusBusy = false;

  private heading = el("h1", {});
  private blurb = el("p", { class: "blurb" });
  private left = el("div", { class: "left" });
  private lanes = el("div", { class: "lanes" });
  private live = el("p", { class: "summary", "aria-live": "polite" });
  private trouble = el("p", { class: "trouble", role: "alert", hidden: true });
  private facts = el("dl", { class: "facts" });
  private checks = el("div", { class: "checks", test: "checks" });
  private tasks = el("section", { class: "panel tasks" });
  private seeds = el("div", { class: "buttons seeds" });
  private side = el("section", { class: "panel beside" });
  private shares = el("section", { class: "panel share" });
  private titles: Record<string, HTMLElement> = {};
  private rule = new RuleView((term) => this.light(term));
  private objective = new Objective((t) => { this.transport.stop(); this.go(t); });
  private transport = new Transport((t) => this.go(t));
  private stage: HTMLElement;

  constructor(private source: Source, private setup: Setup, t: number, private task: string | null) {
    this.wanted = t;
    const title = (key: string) => (this.titles[key] = el("h2", {}));
    this.stage = el("div", { class: "stage", test: "stage", "data-step": -1, "data-state": "" },
      this.lanes, this.live, this.trouble, this.transport.node);
    this.node = el("main", { class: "scene", "data-scene-open": setup.scene },
      el("div", { class: "head" }, this.heading, this.blurb),
      this.left,
      this.stage,
      el("div", { class: "right" },
        el("section", { class: "panel" }, title("rule"), this.rule.node),
        el("section", { class: "panel" }, title("objective"), this.objective.node, this.facts, this.checks),
        this.tasks, this.shares));
    this.transport.busy = () => this.busy;
    this.transport.target = () => (this.busy && this.wanted < 1e8 ? this.wanted : this.shown?.t ?? 0);
    document.addEventListener("keydown", this.keys);
    void this.refresh();
  }
  close(): void { this.transport.stop(); document.removeEventListener("keydown", this.keys); }

  private keys = (e: KeyboardEvent): void => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "z" && !isField(e.target)) { e.preventDefault(); if (e.shiftKey) this.redo(); else this.undo(); }
      return;
    }
    const target = e.target as Element;
    if (isField(target) || (e.key === " " && target.closest("button, label, summary, a"))) return;
    if (this.transport.key(e)) e.preventDefault();
  };

  // --- asking ----------------------------------------------------------------------------
  private go(t: number): void {
    this.wanted = Math.max(0, t);
    void this.refresh();
  }
  private idle: Promise<void> = Promise.resolve();
  private refresh(): Promise<void> {
    if (this.busy) this.again = true;
    else this.idle = this.work();
    return this.idle;
  }
  private async work(): Promise<void> {
    this.busy = true;
    const slow = setTimeout(() => { this.node.classList.add("waiting"); if (!this.shown) this.tell(say("stage.preparing"), false); }, 500);
    try {
      do {
        this.again = false;
        const before = this.wanted;
        const m = (await this.source.ask({
          op: "show", setup: this.setup, t: Math.min(this.wanted, 1e9), check: this.checking, describe: !this.spec, fresh: this.fresh,
        })) as unknown as Shown;
        if (m.error) { this.failed(m); break; }
        this.fresh = false;
        if (m.scene) { this.spec = m.scene; this.chrome(); }
        this.trouble.hidden = true;
        this.render(m);
        if (m.pending && !this.again && before === this.wanted) this.again = true;
        else if (!m.pending && before === this.wanted) this.wanted = m.t;
      } while (this.again);
    } finally {
      clearTimeout(slow);
      this.node.classList.remove("waiting");
      this.busy = false;
    }
  }
  private failed(m: Shown): void {
    this.transport.stop();
    const words = m.error === "lost" ? say("stage.lost") : m.error!;
    this.fresh = true;
    this.tell(words, true);
    if (m.wants) this.left.querySelector<HTMLInputElement>("#data-file")?.focus();
    if (m.wants && !this.spec) this.askFile();
  }
  private tell(words: string, error: boolean): void {
    this.trouble.textContent = words;
    this.trouble.classList.toggle("error", error);
    this.trouble.hidden = false;
  }
  private askFile(): void {
    const file = el("input", { type: "file", id: "data-file", test: "upload", onchange: () => { if (file.files?.[0]) void this.upload(file.files[0]); } });
    this.left.replaceChildren(el("section", { class: "panel" }, el("label", { class: "button", for: "data-file" }, say("data.upload")), file));
  }

  // --- changing --------------------------------------------------------------------------
  private change(next: Setup, t: number, record = true): void {
    if (record) { this.past.push({ setup: copy(this.setup), t: this.shown?.t ?? 0 }); this.undone = []; if (this.past.length > 200) this.past.shift(); }
    this.setup = next;
    this.wanted = t;
    void this.refresh();
  }
  private undo(): void { this.swap(this.past, this.undone); }
  private redo(): void { this.swap(this.undone, this.past); }
  private swap(from: Moment[], to: Moment[]): void {
    const moment = from.pop();
    if (!moment) return;
    this.transport.stop();
    to.push({ setup: copy(this.setup), t: this.shown?.t ?? 0 });
    this.setup = moment.setup;
    this.wanted = moment.t;
    void this.refresh().then(() => this.panels());
  }
  private restart(seed: number): void {
    this.transport.stop();
    this.change({ ...copy(this.setup), seed, actions: [] }, 0);
    this.panels();
  }
  private param(name: string, value: unknown, settled: boolean, beside = false): void {
    const next = copy(this.setup);
    if (beside) next.beside = { ...next.beside, [name]: value };
    else if (JSON.stringify(value) === JSON.stringify(this.spec!.controls.find((c) => c.name === name)!.default)) delete next.params[name];
    else next.params[name] = value;
    next.actions = [];
    this.change(next, this.spec!.keep_step ? this.shown?.t ?? 0 : 0, settled);
    if (settled) { this.transport.stop(); void this.refresh().then(() => this.panels()); }
  }
  private act(action: Act, steps: number, replace: boolean): void {
    const next = copy(this.setup);
    if (replace) next.actions.pop();
    next.actions = next.actions.filter((a) => a.t <= action.t);
    next.actions.push(action);
    this.change(next, action.t + steps, !replace);
  }
  private edit(edit: Edit, replace: boolean): void {
    const t = this.shown?.t ?? 0;
    if (this.spec!.edits_go_on && t > 0) {
      const last = this.setup.actions[this.setup.actions.length - 1];
      if (replace && last?.kind === "edit") {
        const edits = [...(last.edits as Edit[]).slice(0, -1), edit];
        this.act({ ...last, edits }, 0, true);
      } else this.act({ t, kind: "edit", edits: [edit] }, 0, false);
    } else {
      const next = copy(this.setup), edits = [...((next.data.edits ?? []) as Edit[])];
      if (replace) edits.pop();
      next.data = { ...this.base(), edits: [...edits, edit] };
      next.actions = [];
      this.change(next, t, !replace);
    }
  }
  private base(): Record<string, unknown> {
    const d = this.setup.data, known = this.spec!.data!;
    return d.set || d.file || d.rows ? d : { set: known.sets[0].name, n: known.n, seed: 0 };
  }
  private async upload(file: File): Promise<void> {
    if (file.size > MAX_FILE) { this.tell(say("data.large", { name: file.name, size: file.size / 2 ** 20 }), true); return; }
    const m = await (this.source as Live).send({ op: "upload", name: file.name }, file);
    if (m.error) { this.tell(m.error as string, true); return; }
    this.table = m.table as Table;
    const numbers = this.table.columns.filter((c) => c.number).map((c) => c.name);
    if (this.setup.data.file === this.table.file) { this.fresh = true; void this.refresh().then(() => this.panels()); return; }
    const kinds = this.spec?.data?.classes ? this.table.columns.find((c) => c.classes >= 2 && c.classes <= Math.max(2, this.spec!.data!.classes) && !numbers.slice(0, 2).includes(c.name)) : null;
    this.change({ ...copy(this.setup), actions: [], data: { file: this.table.file, x: numbers[0], y: numbers[1], class: kinds?.name ?? null } }, 0);
    void this.refresh().then(() => this.panels());
  }

  // --- pictures' hooks -------------------------------------------------------------------
  private hooks(lane: number): Hooks {
    return {
      hover: (hit) => {
        const mark = hit && this.pictures[lane].flatMap((p) => p.drawing).find((d) => d.mark.key === hit.key)?.mark;
        this.rule.mark(mark?.term ?? hit?.key);
        this.focusWanted = { lane, focus: hit ? { key: hit.key, index: hit.index } : null };
        void this.focus();
      },
      add: (x, y) => { if (this.source.live) this.edit(["add", x, y, this.kind], false); },
      move: (i, x, y, begin) => { if (this.source.live) this.edit(["move", i, x, y], !begin); },
      remove: (i) => { if (this.source.live) this.edit(["remove", i], false); },
      drag: (key, index, to, begin) => { if (this.source.live) { this.transport.stop(); this.act({ t: begin ? this.shown!.t : this.setup.actions[this.setup.actions.length - 1].t, kind: key, index, to }, 0, !begin); } },
      paint: (key, pixel, begin) => {
        if (!this.source.live) return;
        const last = this.setup.actions[this.setup.actions.length - 1];
        if (!begin && last?.kind === "draw") this.act({ ...last, pixels: [...(last.pixels as number[][]), pixel] }, 0, true);
        else this.act({ t: this.shown!.t, kind: "draw", key, pixels: [pixel] }, 0, false);
      },
    };
  }
  private async focus(): Promise<void> {
    if (this.focusBusy || this.busy || !this.source.live) return;
    this.focusBusy = true;
    while (this.focusWanted) {
      const { lane, focus } = this.focusWanted;
      this.focusWanted = null;
      const m = await this.source.ask({ op: "rules", lane, t: this.shown!.t, focus });
      if (m.rules && !this.busy) this.rule.set(m.rules as never);
    }
    this.focusBusy = false;
  }
  private light(term: string | null): void {
    for (const view of this.pictures.flat()) if (view.hot !== term) { view.hot = term; view.paint(); }
  }

  // --- drawing ---------------------------------------------------------------------------
  private render(m: Shown): void {
    const spec = this.spec!, old = this.shown;
    this.shown = m;
    const smooth = !this.transport.playing || this.transport.rate <= 5;
    const near = old !== null && Math.abs(old.t - m.t) <= 1;
    m.lanes.forEach((lane, i) => {
      const views = this.pictures[i];
      while (views.length > lane.frame.pictures.length) views.pop()!.node.remove();
      while (views.length < lane.frame.pictures.length) views.push(new PictureView(this.hooks(i)));
      lane.frame.pictures.forEach((p, j) => views[j].set(p, smooth && near));
    });
    this.pictures[1].length = m.lanes.length > 1 ? this.pictures[1].length : 0;
    if (this.lanes.children.length !== m.lanes.length || this.lanes.dataset.layout !== this.layout(m)) this.arrange(m);
    m.lanes.forEach((lane, i) => {
      const label = this.lanes.children[i].querySelector<HTMLElement>(".lane-name")!;
      label.hidden = m.lanes.length < 2;
      label.textContent = i === 0 ? say("beside.first") : Object.entries(this.setup.beside ?? {}).map(([k, v]) => `${k} = ${typeof v === "number" ? show(v) : v}`).join(", ") || say("beside.second");
      const notes = [lane.frame.diverged ? say("stage.diverged", { t: lane.t }) : "", lane.limit && lane.t === lane.n - 1 ? say("stage.limit", { n: lane.n }) : ""].filter(Boolean);
      const note = this.lanes.children[i].querySelector<HTMLElement>(".lane-note")!;
      note.textContent = notes.join(" "); note.hidden = !notes.length;
    });
    const first = m.lanes[0];
    if (this.asTable) this.tables();
    this.rule.set(first.frame.rules);
    this.objective.set(spec, m.lanes);
    const most = Math.max(...m.lanes.map((l) => l.n)), all = m.lanes.every((l) => l.done);
    this.transport.set(m.t, most, all);
    const phase = first.frame.phase && has(`${spec.name}.phases.${first.frame.phase}`) ? say(`${spec.name}.phases.${first.frame.phase}`) + ": " : "";
    this.live.textContent = `${say("stage.step", { t: m.t })} · ${phase}${text(first.frame.summary)}`;
    this.facts.replaceChildren(...first.frame.facts.flatMap((f) => [el("dt", {}, text(f.label)), el("dd", {}, show(f.value))]));
    this.checks.replaceChildren(...(first.checks ?? []).map((c) => el("p", { class: c.same ? "same" : "differs" },
      `${c.same ? "✓" : "✗"} ${text(c.label)}: `, el("span", {}, say("check.difference", { d: c.difference })))));
    if (this.checking && !(first.checks ?? []).length) this.checks.replaceChildren(el("p", { class: "note" }, say("check.none")));
    this.stage.dataset.state = first.hash;
    this.stage.dataset.step = String(m.t);
    this.stage.dataset.done = String(all && m.t >= most - 1);
    this.solve(m.solved);
    for (const [name, moments] of [["undo", this.past], ["redo", this.undone]] as const) {
      const button = this.left.querySelector<HTMLButtonElement>(`[data-testid=${name}]`);
      if (button) button.disabled = moments.length === 0;
    }
    const hints = JSON.stringify(first.frame.hints);
    if (hints !== this.hintsKey) { this.hintsKey = hints; if (old) this.controls(); }
    if (!old || JSON.stringify(old.lanes[0].points?.names) !== JSON.stringify(first.points?.names)) this.panels();
  }
  private hintsKey = "{}";
  private layout(m: Shown): string { return m.lanes.map((l) => l.frame.pictures.map((p) => p.key).join("+")).join("|") + this.asTable; }
  private arrange(m: Shown): void {
    this.lanes.dataset.layout = this.layout(m);
    this.lanes.replaceChildren(...m.lanes.map((_, i) => el("div", { class: "lane" },
      el("p", { class: "lane-name" }), el("p", { class: "lane-note", hidden: true }),
      el("div", { class: `pictures n${Math.min(4, this.pictures[i].length)}` }, this.pictures[i].map((p) => p.node)),
      el("div", { class: "as-table", hidden: !this.asTable }))));
    this.lanes.classList.toggle("tabular", this.asTable);
  }
  private tables(): void {
    this.pictures.forEach((views, i) => {
      const place = this.lanes.children[i]?.querySelector(".as-table");
      place?.replaceChildren(...views.map((v) => tableOf(v.spec!, v.drawing)));
    });
  }

  // what does not change from step to step
  chrome(): void {
    const spec = this.spec!;
    this.heading.textContent = say(`${spec.name}.title`);
    this.blurb.textContent = say(`${spec.name}.blurb`);
    this.titles.rule.textContent = say("stage.rule");
    this.titles.objective.textContent = say(`${spec.name}.objectives.${spec.objectives[0]}`);
    document.title = `${say(`${spec.name}.title`)} · kiso lab`;
    this.transport.speak();
  }
  private controlsNode = el("section", { class: "panel controls" });
  private controls(): void {
    const spec = this.spec!, lane = this.shown!.lanes[0];
    const active = document.activeElement?.closest("[data-control]")?.getAttribute("data-control");
    if (active && this.controlsNode.contains(document.activeElement) && (document.activeElement as HTMLInputElement).type === "range") return; // being dragged
    const visible = (c: ControlSpec) => !c.when || c.when[1].includes(lane.params[c.when[0]]);
    this.controlsNode.replaceChildren(el("h2", {}, say("stage.controls")), ...this.presets(), ...this.actions(), ...spec.controls.filter(visible).map((c) =>
      control(spec.name, c, lane.params[c.name], lane.frame.hints[c.name] ?? [], (n, v, s) => this.param(n, v, s))));
    if (active) this.controlsNode.querySelector<HTMLElement>(`[data-control="${active}"] select, [data-control="${active}"] input`)?.focus();
  }
  private actions(): HTMLElement[] {
    const params = this.shown!.lanes[0].params, shown = this.spec!.actions.filter((a) => !a.when || a.when[1].includes(params[a.when[0]]));
    if (!shown.length) return [];
    return [el("div", { class: "buttons actions" }, shown.map((a) => el("button", { type: "button", "data-action": a.kind, onclick: () => { this.transport.stop(); this.act({ t: this.shown!.t, kind: a.kind }, a.steps, false); } }, say(`${this.spec!.name}.actions.${a.kind}`))))];
  }
  private presets(): HTMLElement[] {
    const names = Object.keys(this.spec!.presets);
    if (!names.length) return [];
    return [el("div", { class: "buttons presets" }, names.map((name) => el("button", { type: "button", "data-preset": name, onclick: () => {
      const preset = this.spec!.presets[name];
      this.transport.stop();
      this.change({ ...copy(this.setup), params: { ...preset.params }, data: { ...preset.data }, actions: [] }, 0);
      void this.refresh().then(() => this.panels());
    } }, say(`${this.spec!.name}.presets.${name}`))))];
  }
  panels(): void {
    if (!this.spec || !this.shown) return;
    const spec = this.spec, lane = this.shown.lanes[0], live = this.source.live;
    this.controls();
    this.seeds.replaceChildren(
      el("button", { type: "button", test: "same-seed", onclick: () => this.restart(this.setup.seed) }, say("seed.same")),
      el("button", { type: "button", test: "new-seed", onclick: () => this.restart((this.setup.seed + 1) % 2 ** 32) }, say("seed.new")),
      el("span", { class: "note" }, say("seed.now", { seed: String(this.setup.seed) })));
    const data = spec.data && dataPanel(spec, this.setup, lane, this.table, this.kind, {
      change: (d) => { this.transport.stop(); this.change({ ...copy(this.setup), data: d, actions: [] }, 0); void this.refresh().then(() => this.panels()); },
      upload: (f) => void this.upload(f), pick: (k) => { this.kind = k; this.panels(); },
      undo: () => this.undo(), redo: () => this.redo(), canUndo: this.past.length > 0, canRedo: this.undone.length > 0,
    });
    this.besides();
    if (live) this.left.replaceChildren(this.controlsNode, this.seeds, ...(data ? [data] : []), this.side);
    else this.left.replaceChildren(el("section", { class: "panel" }, el("h2", {}, say("stage.controls")), el("dl", { class: "facts" }, Object.entries(lane.params).flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, Array.isArray(v) ? v.join(", ") : show(v))])), el("p", { class: "note" }, say("replay.note"))));
    this.sharing();
    this.solve(this.shown.solved);
  }
  private besides(): void {
    const spec = this.spec!, on = Boolean(this.setup.beside), now = this.setup.beside ?? {};
    const params = this.shown!.lanes[1]?.params ?? this.shown!.lanes[0].params;
    const others = spec.controls.filter((c) => !(c.name in now));
    const toggle = () => { this.transport.stop(); this.change({ ...copy(this.setup), beside: on ? null : { ...spec.beside } }, this.shown!.t); void this.refresh().then(() => this.panels()); };
    this.side.replaceChildren(el("h2", {}, say("beside.title")),
      el("label", { class: "switch" }, el("input", { type: "checkbox", test: "beside", checked: on, onchange: toggle }), say("beside.on")),
      ...(on ? spec.controls.filter((c) => c.name in now).map((c) => control(spec.name, c, params[c.name], [], (n, v, s) => this.param(n, v, s, true))) : []),
      ...(on && others.length ? [el("div", { class: "control-head" }, el("label", { for: "beside-add" }, say("beside.add")), el("select", { id: "beside-add", onchange: (e: Event) => {
        const c = others[(e.target as HTMLSelectElement).selectedIndex - 1];
        if (c) this.param(c.name, params[c.name], true, true);
      } }, el("option", {}, "…"), others.map((c) => el("option", {}, c.name))))] : []));
  }
  private sharing(): void {
    const name = this.setup.scene, live = this.source.live;
    const button = (test: string, act: () => void | Promise<void>) => el("button", { type: "button", test, onclick: () => void act() }, say(`share.${test}`));
    const out = el("output", { class: "shared", "aria-live": "polite" });
    const trace = async (frames: boolean) => ((await this.source.ask({ op: "trace", setup: this.setup, frames })).trace as string);
    const check = el("label", { class: "switch" }, el("input", { type: "checkbox", test: "check", checked: this.checking, onchange: (e: Event) => { this.checking = (e.target as HTMLInputElement).checked; if (!this.checking) this.checks.replaceChildren(); void this.refresh(); } }), say("check.on"));
    const table = el("label", { class: "switch" }, el("input", { type: "checkbox", test: "table", checked: this.asTable, onchange: (e: Event) => { this.asTable = (e.target as HTMLInputElement).checked; this.arrange(this.shown!); if (this.asTable) this.tables(); } }), say("table.on"));
    this.shares.replaceChildren(el("h2", {}, say("share.title")), live ? check : "", table, el("div", { class: "buttons" },
      live && button("link", () => { const url = linkOf(this.setup, this.shown!.t, this.task); history.replaceState(null, "", `#${fragmentOf(this.setup, this.shown!.t, this.task)}`); out.replaceChildren(field(url)); void navigator.clipboard?.writeText(url).catch(() => undefined); }),
      live && button("python", async () => { const m = await this.source.ask({ op: "script", t: this.shown!.t }); out.replaceChildren(el("pre", { test: "script", tabindex: 0 }, m.script as string)); void navigator.clipboard?.writeText(m.script as string).catch(() => undefined); }),
      button("png", async () => save(`${name}.png`, await pngOf(this.pictures.flat()))),
      button("svg", () => save(`${name}.svg`, new Blob([svgOf(this.pictures.flat()).source], { type: "image/svg+xml" }))),
      live && button("csv", async () => save(`${name}.csv`, new Blob([csvOf(await trace(false))], { type: "text/csv" }))),
      live && button("trace", async () => save(`${name}.jsonl`, new Blob([await trace(false)], { type: "application/jsonl" }))),
      live && button("html", async () => save(`${name}.html`, new Blob([await replayOf(await trace(true), say(`${name}.title`))], { type: "text/html" })))), out);
  }
  private solve(solved: string[]): void {
    const spec = this.spec!;
    if (!spec.tasks.length || !this.source.live) { this.tasks.hidden = true; return; }
    const key = (task: string) => `kiso-task-${spec.name}-${task}`, kept = (task: string) => { try { return localStorage.getItem(key(task)) === "1"; } catch { return false; } };
    for (const task of solved) if (this.past.length || (this.shown?.t ?? 0) > 0) try { localStorage.setItem(key(task), "1"); } catch { /* storage is off */ }
    this.tasks.replaceChildren(el("h2", {}, say("tasks.title")), el("ol", {}, spec.tasks.map((task) => {
      const done = kept(task);
      return el("li", { class: `${done ? "solved" : ""}${task === this.task ? " set" : ""}`, "data-task": task, "data-solved": String(done) },
        el("span", { class: "tick-mark", "aria-label": say(done ? "tasks.solved" : "tasks.open") }, done ? "✓" : "○"),
        el("span", {}, say(`${spec.name}.tasks.${task}`)),
        el("button", { type: "button", class: "link", "aria-pressed": String(task === this.task), title: say("tasks.set"), onclick: () => { this.task = task === this.task ? null : task; this.solve([]); } }, say("tasks.pin")));
    })));
  }
  // after a change of language or theme
  again_(): void { this.chrome(); if (this.shown) { this.render(this.shown); this.panels(); if (this.asTable) this.tables(); } }
  paintTimes(): number[] { return this.pictures[0][0]?.paints ?? []; }
}

function field(url: string): HTMLElement {
  const input = el("input", { type: "text", readonly: true, test: "permalink", value: url, "aria-label": "link" });
  setTimeout(() => input.select());
  return input;
}
function isField(target: EventTarget | null): boolean {
  const node = target as HTMLElement;
  return node.tagName === "SELECT" || node.tagName === "TEXTAREA" || (node.tagName === "INPUT" && !["checkbox", "radio", "file"].includes((node as HTMLInputElement).type));
}
