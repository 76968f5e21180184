// One picture: axes in SVG, marks on a canvas, pointer and keyboard on both.
import { el, sizeOf, svg } from "./dom";
import { say, show, text, tick as label } from "./i18n";
import { theme } from "./theme";
import { drawn } from "./marks/index";
import type { Drawn, Hit, Pen, View } from "./marks/base";
import { Images } from "./marks/cells";
import { turn } from "./marks/cloud";
import type { AxisSpec, Mark, PictureSpec } from "./types";

export interface Hooks {
  hover(hit: Hit | null): void;
  add(x: number, y: number): void;
  move(index: number, x: number, y: number, begin: boolean): void;
  remove(index: number): void;
  drag(key: string, index: number, to: [number, number], begin: boolean): void;
  paint(key: string, pixels: number[], begin: boolean): void;
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function ticksOf(axis: AxisSpec, n: number): number[] {
  if (axis.log) {
    const a = Math.ceil(Math.log10(axis.low) - 1e-9), b = Math.floor(Math.log10(axis.high) + 1e-9), every = Math.max(1, Math.ceil((b - a) / n));
    return Array.from({ length: Math.floor((b - a) / every) + 1 }, (_, i) => 10 ** (a + i * every));
  }
  const span = axis.high - axis.low;
  if (!(span > 0)) return [axis.low];
  const raw = span / n, unit = 10 ** Math.floor(Math.log10(raw));
  const step = unit * ([1, 2, 5, 10].find((m) => m * unit >= raw) ?? 10);
  const out: number[] = [];
  for (let x = Math.ceil(axis.low / step - 1e-9) * step; x <= axis.high + step * 1e-9; x += step) out.push(Math.abs(x) < step * 1e-9 ? 0 : Number(x.toPrecision(12)));
  return out;
}

export class PictureView {
  node: HTMLElement;
  private heading = el("h3", { class: "picture-title" });
  private frame: HTMLElement;
  private size: () => [number, number];
  private canvas = el("canvas", {});
  // drawn by the processor: a projector's laptop often has nothing else, and it is the faster way there
  private pen = this.canvas.getContext("2d", { willReadFrequently: true })!;
  private axes = svg("svg", { class: "axes", "aria-hidden": "true" });
  private tip = el("div", { class: "tip", hidden: true });
  private marks: Drawn[] = [];
  private began = 0;
  private raf = 0;
  spec: PictureSpec | null = null;
  hot: string | null = null;
  focus: { key: string; index: number } | null = null;
  private held: { kind: "point" | "handle" | "turn" | "draw"; key: string; index: number; moved: boolean; x: number; y: number } | null = null;
  private cursor: [number, number] | null = null;
  paints: number[] = []; // times of the last frames drawn

  constructor(private hooks: Hooks) {
    this.frame = el("div", { class: "frame", tabindex: 0, role: "img" }, this.canvas, this.axes as unknown as Node, this.tip);
    this.node = el("figure", { class: "picture" }, this.heading, this.frame);
    this.size = sizeOf(this.frame, () => this.paint());
    const f = this.frame;
    f.addEventListener("pointermove", (e) => this.pointer(e));
    f.addEventListener("pointerleave", () => { this.tell(null); });
    f.addEventListener("pointerdown", (e) => this.press(e));
    f.addEventListener("pointerup", (e) => this.release(e));
    f.addEventListener("contextmenu", (e) => {
      const hit = this.find(e);
      if (this.spec?.edit && hit && this.isData(hit.key)) { e.preventDefault(); this.hooks.remove(hit.index); }
    });
    f.addEventListener("keydown", (e) => this.key(e));
    f.addEventListener("blur", () => { this.cursor = null; this.paint(); });
  }

  set(spec: PictureSpec, transition: boolean): void {
    const old = new Map(this.marks.map((m) => [m.mark.key, m]));
    this.spec = spec;
    this.marks = spec.marks.map((mark) => {
      const made = drawn(mark), before = old.get(mark.key);
      if (transition && !calm() && !this.held && before && before.mark.mark === mark.mark) made.from?.(before);
      return made;
    });
    this.node.style.flexGrow = String(spec.wide);
    this.node.classList.toggle("editable", spec.edit);
    const title = text(spec.title);
    this.heading.textContent = title;
    this.heading.hidden = !title;
    this.frame.setAttribute("aria-label", title || spec.key);
    this.began = transition && !calm() && !this.held ? performance.now() : -1e9;
    this.paint();
  }
  get drawing(): Drawn[] { return this.marks; }

  view(pen: Pen, width: number, height: number, k: number): View {
    const { x, y } = this.spec!;
    let left = x ? 52 : 8, right = width - (x ? 14 : 8), top = x ? 10 : 8, bottom = height - (x ? 42 : 8);
    if (this.marks.some((m) => m.mark.mark === "bars" && m.mark.horizontal && m.mark.names)) left = 96;
    let fx = (v: number) => v, fy = (v: number) => v;
    if (x && y) {
      const lx = x.log ? Math.log10 : (v: number) => v, ly = y.log ? Math.log10 : (v: number) => v;
      const [a, b, c, d] = [lx(x.low), lx(x.high), ly(y.low), ly(y.high)];
      if (this.spec!.equal && !x.log && !y.log) {
        const scale = Math.min((right - left) / (b - a), (bottom - top) / (d - c));
        const w = scale * (b - a), h = scale * (d - c);
        left += (right - left - w) / 2; right = left + w; top += (bottom - top - h) / 2; bottom = top + h;
      }
      fx = (v) => left + ((right - left) * (lx(v) - a)) / (b - a);
      fy = (v) => bottom - ((bottom - top) * (ly(v) - c)) / (d - c);
    }
    return { pen, theme: theme(), width, height, left, right, top, bottom, sx: fx, sy: fy, k, hot: this.marks.some((m) => m.mark.term === this.hot) ? this.hot : null, focus: this.focus };
  }
  private back(v: View, px: number, py: number): [number, number] {
    const { x, y } = this.spec!;
    const inv = (axis: AxisSpec, t: number) => axis.log ? axis.low * (axis.high / axis.low) ** t : axis.low + (axis.high - axis.low) * t;
    return [inv(x!, (px - v.left) / (v.right - v.left)), inv(y!, (v.bottom - py) / (v.bottom - v.top))];
  }

  paint(): void {
    if (this.raf) return;
    this.raf = requestAnimationFrame(() => { this.raf = 0; this.now(); });
  }
  private now(): void {
    if (!this.spec) return;
    const [w, h] = this.size();
    if (w < 20 || h < 20) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    if (this.canvas.width !== Math.round(w * ratio) || this.canvas.height !== Math.round(h * ratio)) {
      this.canvas.width = Math.round(w * ratio); this.canvas.height = Math.round(h * ratio);
    }
    const pen = this.pen;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, w, h);
    const t = Math.min(1, (performance.now() - this.began) / 220), k = 1 - (1 - t) ** 3;
    const v = this.view(pen, w, h, k);
    this.draw(v);
    if (this.cursor && this.spec.x) {
      pen.strokeStyle = v.theme.ink; pen.lineWidth = 2; pen.beginPath();
      const [cx, cy] = this.cursor;
      pen.moveTo(cx - 9, cy); pen.lineTo(cx + 9, cy); pen.moveTo(cx, cy - 9); pen.lineTo(cx, cy + 9); pen.stroke();
    }
    this.axesOf(v, w, h);
    const stamp = performance.now();
    this.paints.push(stamp);
    if (this.paints.length > 400) this.paints.splice(0, 200);
    if (t < 1) this.paint();
  }
  draw(v: View): void {
    if (this.spec!.x) {
      v.pen.save();
      v.pen.beginPath(); v.pen.rect(v.left - 1, v.top - 1, v.right - v.left + 2, v.bottom - v.top + 2);
      if ("clip" in v.pen) (v.pen as CanvasRenderingContext2D).clip();
      for (const m of this.marks) if (m.mark.mark !== "bars" && m.mark.mark !== "texts") m.draw(v);
      v.pen.restore();
      for (const m of this.marks) if (m.mark.mark === "bars" || m.mark.mark === "texts") m.draw(v);
    } else for (const m of this.marks) m.draw(v);
  }
  private axesKey = "";
  private axesOf(v: View, w: number, h: number): void {
    const { x, y } = this.spec!;
    const key = JSON.stringify([x && { ...x, label: text(x.label) }, y && { ...y, label: text(y.label) }, w, h, v.left, v.top, v.theme.ink]);
    if (key === this.axesKey) return;
    this.axesKey = key;
    this.axes.replaceChildren(...this.axesNodes(v));
    this.axes.setAttribute("viewBox", `0 0 ${w} ${h}`);
  }
  axesNodes(v: View): SVGElement[] {
    const { x, y } = this.spec!;
    if (!x || !y) return [];
    const out: SVGElement[] = [svg("path", { d: `M${v.left} ${v.top}V${v.bottom}H${v.right}`, class: "axis" })];
    const named = this.marks.find((m) => m.mark.mark === "bars" && m.mark.names);
    if (!named || named.mark.horizontal) for (const tick of ticksOf(x, Math.max(2, Math.min(8, (v.right - v.left) / 48))))
      out.push(svg("text", { x: v.sx(tick), y: v.bottom + 16, class: "tick", "text-anchor": "middle" }, label(tick, x.log)));
    if (!named?.mark.horizontal) for (const tick of ticksOf(y, Math.max(2, Math.min(7, (v.bottom - v.top) / 50))))
      out.push(svg("text", { x: v.left - 7, y: v.sy(tick) + 4, class: "tick", "text-anchor": "end" }, label(tick, y.log)));
    out.push(svg("text", { x: v.right, y: v.bottom + 34, class: "axis-name", "text-anchor": "end" }, text(x.label)));
    out.push(svg("text", { x: v.left - 40, y: v.top - 2 < 12 ? 12 : v.top - 2, class: "axis-name", "text-anchor": "start", transform: `rotate(-90 ${v.left - 40} ${v.top})`, dy: 2, dx: -(v.bottom - v.top) / 2 }, text(y.label)));
    return out;
  }

  // --- pointer ---------------------------------------------------------------------------
  private at(e: PointerEvent | MouseEvent): [number, number] {
    const box = this.frame.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }
  private still(): View {
    const [w, h] = this.size();
    return this.view(this.pen, w, h, 1);
  }
  private find(e: PointerEvent | MouseEvent): Hit | null {
    if (!this.spec) return null;
    return this.findAt(...this.at(e));
  }
  private findAt(px: number, py: number): Hit | null {
    const v = this.still();
    let best: Hit | null = null;
    for (let i = this.marks.length - 1; i >= 0; i--) {
      const hit = this.marks[i].hit?.(v, px, py);
      if (hit && (!best || hit.distance < best.distance - 2)) best = hit;
    }
    return best;
  }
  private markOf(key: string): Mark | undefined { return this.marks.find((m) => m.mark.key === key)?.mark; }
  private isData(key: string): boolean { return Boolean(this.markOf(key)?.data); }

  private pointer(e: PointerEvent): void {
    if (this.held) { this.dragged(e); return; }
    const hit = this.find(e);
    this.tell(hit, e);
    const mark = hit && this.markOf(hit.key);
    this.frame.style.cursor = mark?.drag || (this.spec?.edit && mark?.data) ? "grab" : this.spec?.edit ? "crosshair" : "default";
  }
  private tell(hit: Hit | null, e?: PointerEvent): void {
    const same = hit?.key === this.focus?.key && hit?.index === this.focus?.index;
    if (hit?.text && e) {
      const [x, y] = this.at(e), [w] = this.size();
      this.tip.textContent = hit.text;
      this.tip.hidden = false;
      this.tip.style.left = `${Math.min(x + 14, w - 190)}px`;
      this.tip.style.top = `${Math.max(2, y - 34)}px`;
    } else this.tip.hidden = true;
    if (same) return;
    this.focus = hit ? { key: hit.key, index: hit.index } : null;
    this.hooks.hover(hit);
    this.paint();
  }
  private press(e: PointerEvent): void {
    if (e.button !== 0 || !this.spec) return;
    this.frame.focus({ preventScroll: true });
    this.cursor = null;
    const [x, y] = this.at(e), hit = this.findAt(x, y), mark = hit && this.markOf(hit.key);
    if (this.marks.some((m) => m.mark.mark === "cloud")) this.held = { kind: "turn", key: "", index: 0, moved: false, x, y };
    else if (hit && mark?.drag) this.held = { kind: "handle", key: hit.key, index: hit.index, moved: false, x, y };
    else if (hit && mark?.draw) { this.held = { kind: "draw", key: hit.key, index: 0, moved: false, x, y }; this.brush(x, y, true); }
    else if (hit && mark?.data && this.spec.edit) this.held = { kind: "point", key: hit.key, index: hit.index, moved: false, x, y };
    else if (this.spec.edit) {
      const v = this.still();
      if (x >= v.left && x <= v.right && y >= v.top && y <= v.bottom) { const p = this.back(v, x, y); this.hooks.add(...p); }
    }
    if (this.held) this.frame.setPointerCapture(e.pointerId);
  }
  private dragged(e: PointerEvent): void {
    const held = this.held!, [x, y] = this.at(e);
    if (!held.moved && Math.hypot(x - held.x, y - held.y) < 3) return;
    const begin = !held.moved;
    held.moved = true;
    this.tip.hidden = true;
    if (held.kind === "turn") {
      turn.yaw += (x - held.x) / 120; turn.pitch = Math.max(-1.5, Math.min(1.5, turn.pitch + (y - held.y) / 120));
      held.x = x; held.y = y; this.paint();
    } else if (held.kind === "draw") this.brush(x, y, false);
    else {
      const v = this.still(), clamp = (z: number, a: number, b: number) => Math.max(a, Math.min(b, z));
      const to = this.back(v, clamp(x, v.left, v.right), clamp(y, v.top, v.bottom));
      if (held.kind === "point") this.hooks.move(held.index, ...to, begin);
      else this.hooks.drag(held.key, held.index, to, begin);
    }
  }
  private brush(x: number, y: number, begin: boolean): void {
    const m = this.marks.find((d) => d.mark.draw) as Images | undefined;
    const p = m?.pixel(this.still(), x, y);
    if (!m || !p) { this.pixel = null; return; }
    // a quick pointer skips pixels: the stroke runs through those between
    const [i, j] = begin || !this.pixel ? [p.i, p.j] : this.pixel, n = Math.max(Math.abs(p.i - i), Math.abs(p.j - j));
    for (let k = n ? 1 : 0; k <= n; k++)
      this.hooks.paint(m.mark.key, n ? [Math.round(i + ((p.i - i) * k) / n), Math.round(j + ((p.j - j) * k) / n)] : [p.i, p.j], begin);
    this.pixel = [p.i, p.j];
  }
  private pixel: [number, number] | null = null;
  private release(e: PointerEvent): void {
    const held = this.held;
    this.held = null;
    if (held) this.frame.releasePointerCapture(e.pointerId);
  }

  // --- keyboard: arrows move a cross while Enter has made it appear -----------------------
  private key(e: KeyboardEvent): void {
    if (!this.spec?.x || !(this.spec.edit || this.marks.some((m) => m.mark.drag))) return;
    const v = this.still();
    if (!this.cursor) {
      if (e.key === "Enter") { this.cursor = [(v.left + v.right) / 2, (v.top + v.bottom) / 2]; this.eat(e); this.paint(); }
      return;
    }
    const d = e.shiftKey ? 20 : 4, moves: Record<string, [number, number]> = { ArrowLeft: [-d, 0], ArrowRight: [d, 0], ArrowUp: [0, -d], ArrowDown: [0, d] };
    const step = moves[e.key];
    if (step) {
      this.eat(e);
      const [cx, cy] = this.cursor, hit = e.altKey ? this.findAt(cx, cy) : null, mark = hit && this.markOf(hit.key);
      this.cursor = [Math.max(v.left, Math.min(v.right, cx + step[0])), Math.max(v.top, Math.min(v.bottom, cy + step[1]))];
      if (hit && mark?.drag) this.hooks.drag(hit.key, hit.index, this.back(v, ...this.cursor), true);
      else if (hit && mark?.data && this.spec.edit) this.hooks.move(hit.index, ...this.back(v, ...this.cursor), true);
      const under = this.findAt(...this.cursor);
      this.focus = under ? { key: under.key, index: under.index } : null;
      this.hooks.hover(under);
      this.paint();
    } else if (e.key === "Enter" && this.spec.edit) { this.eat(e); this.hooks.add(...this.back(v, ...this.cursor)); }
    else if ((e.key === "Delete" || e.key === "Backspace") && this.spec.edit) {
      const hit = this.findAt(...this.cursor);
      if (hit && this.isData(hit.key)) { this.eat(e); this.hooks.remove(hit.index); }
    } else if (e.key === "Escape") { this.cursor = null; this.eat(e); this.paint(); }
  }
  private eat(e: Event): void { e.preventDefault(); e.stopPropagation(); }

  image(): HTMLCanvasElement { return this.canvas; }
  get box(): [number, number] { return this.size(); }
}

export function tableOf(spec: PictureSpec, marks: Drawn[]): HTMLElement {
  const out = el("div", { class: "tables" });
  for (const m of marks) {
    const t = m.table?.();
    if (!t || !t.rows.length) continue;
    const rows = t.rows.slice(0, 200);
    const cell = (z: string | number) => (typeof z === "number" ? show(z, 5) : z);
    out.append(el("table", {},
      el("caption", {}, `${text(m.mark.label) || m.mark.key}${t.rows.length > 200 ? ` (${say("table.first", { n: 200, of: t.rows.length })})` : ""}`),
      el("thead", {}, el("tr", {}, t.head.map((z) => el("th", { scope: "col" }, z)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((z) => el("td", {}, cell(z))))))));
  }
  if (!out.children.length) out.append(el("p", { class: "note" }, text(spec.title)));
  return out;
}
