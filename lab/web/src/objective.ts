// The objective over the steps, with a cursor; a click goes to the step.
import { el, sizeOf, svg } from "./dom";
import { say, show, tick as label } from "./i18n";
import { ticksOf } from "./picture";
import { theme } from "./theme";
import type { Lane, SceneSpec } from "./types";

export class Objective {
  node = el("div", { class: "objective", test: "objective", role: "img" });
  private root = svg("svg", {});
  private size = sizeOf(this.node, () => this.draw());
  private spec: SceneSpec | null = null;
  private lanes: Lane[] = [];
  constructor(private go: (t: number) => void) {
    this.node.append(this.root as unknown as Node);
    this.node.addEventListener("click", (e) => {
      const box = this.node.getBoundingClientRect(), n = Math.max(...this.lanes.map((l) => l.n), 2);
      this.go(Math.max(0, Math.min(n - 1, Math.round(((e.clientX - box.left - 52) / (box.width - 66)) * (n - 1)))));
    });
  }
  set(spec: SceneSpec, lanes: Lane[]): void { this.spec = spec; this.lanes = lanes; this.draw(); }

  draw(): void {
    const [w, h] = this.size();
    if (!this.spec || w < 40 || h < 40) return;
    const t = theme(), m = this.spec.objectives.length, n = Math.max(2, ...this.lanes.map((l) => l.n));
    const [left, right, top, bottom] = [52, w - 14, 12, h - 24];
    let low = Infinity, high = -Infinity;
    const log = this.spec.log_objective;
    for (const lane of this.lanes) for (const v of lane.series?.data ?? []) if (Number.isFinite(v) && !(log && v <= 0)) { low = Math.min(low, v); high = Math.max(high, v); }
    if (!(low <= high)) { low = log ? 0.1 : 0; high = 1; }
    if (log) { low = Math.max(low, high * 1e-12); const a = Math.log10(low), b = Math.log10(high), pad = Math.max(0.15, (b - a) * 0.06); low = 10 ** (a - pad); high = 10 ** (b + pad); }
    else { const pad = (high - low || Math.abs(high) || 1) * 0.08; low = low >= 0 ? Math.max(0, low - pad) : low - pad; high += pad; }
    const f = log ? Math.log10 : (v: number) => v;
    const x = (s: number) => left + ((right - left) * s) / (n - 1), y = (v: number) => bottom - ((bottom - top) * (f(v) - f(low))) / (f(high) - f(low) || 1);
    const out: SVGElement[] = [svg("path", { d: `M${left} ${top}V${bottom}H${right}`, class: "axis" })];
    for (const tick of ticksOf({ low, high, log, label: "" }, 3)) out.push(svg("text", { x: left - 6, y: y(tick) + 4, class: "tick", "text-anchor": "end" }, label(tick)));
    for (const tick of ticksOf({ low: 0, high: n - 1, log: false, label: "" }, Math.min(5, n - 1)).filter(Number.isInteger)) out.push(svg("text", { x: x(tick), y: bottom + 15, class: "tick", "text-anchor": "middle" }, label(tick)));
    const ends: { y: number; words: string; color: string }[] = [];
    this.lanes.forEach((lane, side) => {
      const data = lane.series?.data;
      if (!data) return;
      for (let j = 0; j < m; j++) {
        let d = "", open = false, last: number | null = null;
        for (let s = 0; s < lane.n; s++) {
          const v = data[s * m + j];
          if (!Number.isFinite(v) || (log && v < low)) { open = false; continue; }
          d += `${open ? "L" : "M"}${x(s).toFixed(1)} ${y(v).toFixed(1)}`;
          open = true; last = v;
        }
        const color = t.data[j % 6];
        if (d) out.push(svg("path", { d, fill: "none", stroke: color, "stroke-width": side ? 1.5 : 2, "stroke-dasharray": side ? "5 3" : null, "stroke-linejoin": "round" }));
        const value = data[Math.min(lane.t, lane.n - 1) * m + j];
        if (Number.isFinite(value) && !(log && value < low)) out.push(svg("circle", { cx: x(Math.min(lane.t, lane.n - 1)), cy: y(value), r: 4, fill: color, stroke: t.paper }));
        if (last !== null && (m > 1 || side === 0)) ends.push({ y: y(last), words: side ? "" : say(`${this.spec!.name}.objectives.${this.spec!.objectives[j]}`), color });
      }
    });
    const now = x(Math.max(...this.lanes.map((l) => l.t)));
    out.push(svg("path", { d: `M${now} ${top}V${bottom}`, stroke: t.ink, "stroke-width": 1 }));
    ends.sort((p, q) => p.y - q.y);
    let free = top - 99;
    for (const end of ends) {
      if (!end.words) continue;
      const at = Math.max(end.y - 7, free + 14, top + 8);
      free = at;
      out.push(svg("text", { x: right, y: Math.min(at, bottom - 4), class: "series", "text-anchor": "end", fill: end.color }, end.words));
    }
    this.root.setAttribute("viewBox", `0 0 ${w} ${h}`);
    this.root.replaceChildren(...out);
    const first = this.lanes[0], value = first?.series?.data[Math.min(first.t, first.n - 1) * m];
    this.node.setAttribute("aria-label", `${say(`${this.spec.name}.objectives.${this.spec.objectives[0]}`)}: ${show(value ?? NaN)}`);
  }
}
