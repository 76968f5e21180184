// Points and handles.
import { role, rgb, css, scaleColor, type Theme } from "../theme";
import { show, text } from "../i18n";
import type { Arr, Mark } from "../types";
import { at, colorOf, dim, type Drawn, type Hit, type Pen, type View } from "./base";

const SHAPES_BY_CLASS = ["disc", "square", "diamond", "triangle", "disc", "square"];

export class Points implements Drawn {
  private old: Arr | null = null;
  constructor(public mark: Mark) {}

  from(old: Drawn): void {
    const before = (old as Points).mark.xy as Arr;
    if (before.shape[0] === this.mark.xy.shape[0] && before !== this.mark.xy) this.old = before;
  }
  place(v: View, i: number): [number, number] {
    const xy = this.mark.xy as Arr;
    let x = at(xy, i, 0), y = at(xy, i, 1);
    if (this.old && v.k < 1) { x = at(this.old, i, 0) * (1 - v.k) + x * v.k; y = at(this.old, i, 1) * (1 - v.k) + y * v.k; }
    return [v.sx(x), v.sy(y)];
  }
  radius(i: number): number {
    const size = this.mark.size;
    const n = (this.mark.xy as Arr).shape[0];
    if (size === undefined) return n > 1000 ? 3 : n > 400 ? 4 : 5;
    return typeof size === "number" ? size : (size as Arr).data[i];
  }
  shape(i: number): string {
    if (this.mark.shape !== "disc" || !this.mark.data || typeof this.mark.color !== "object") return this.mark.shape;
    const c = Number(colorOf(this.mark.color, i));
    return c < 0 ? "disc" : SHAPES_BY_CLASS[c % 6];
  }
  fill(theme: Theme, i: number): string {
    const value = this.mark.value as Arr | undefined;
    if (value) return css(scaleColor(theme, this.mark.scale ?? "sequential", value.data[i]));
    return role(theme, colorOf(this.mark.color, i));
  }

  private hollow(i: number): boolean {
    return this.mark.hollow ? Boolean((this.mark.hollow as Arr).data[i]) : this.mark.shape === "ring";
  }

  // Many points: each look is drawn once in the pixels of the screen, then copied without resampling.
  private looks: { theme: Theme; ratio: number; each: HTMLCanvasElement[] } | null = null;
  private sprites(v: View, pen: CanvasRenderingContext2D): void {
    const n = (this.mark.xy as Arr).shape[0], ratio = pen.getTransform().a;
    if (this.looks?.theme !== v.theme || this.looks.ratio !== ratio) {
      const each = Array.from({ length: n }, (_, i) => {
        const r = this.radius(i), fill = this.fill(v.theme, i), shape = this.shape(i), hollow = this.hollow(i);
        const key = `${fill}${shape}${r}${hollow}${v.theme.paper}${ratio}`;
        let s = made.get(key);
        if (!s) { s = sprite(v.theme, ratio, r, fill, shape, hollow); if (made.size > 500) made.clear(); made.set(key, s); }
        return s;
      });
      this.looks = { theme: v.theme, ratio, each };
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    for (let i = 0; i < n; i++) {
      const [x, y] = this.place(v, i), s = this.looks.each[i];
      if (Number.isFinite(x + y)) pen.drawImage(s, Math.round(x * ratio - s.width / 2), Math.round(y * ratio - s.height / 2));
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  draw(v: View): void {
    const n = (this.mark.xy as Arr).shape[0];
    v.pen.save();
    v.pen.globalAlpha = dim(v, this.mark);
    if (n > 150 && "canvas" in v.pen) this.sprites(v, v.pen as CanvasRenderingContext2D);
    else for (let i = 0; i < n; i++) {
      const [x, y] = this.place(v, i);
      if (Number.isFinite(x + y)) stamp(v.pen, v.theme, x, y, this.radius(i), this.fill(v.theme, i), this.shape(i), this.hollow(i));
    }
    if (v.focus?.key === this.mark.key && v.focus.index < n) {
      const [x, y] = this.place(v, v.focus.index);
      v.pen.strokeStyle = v.theme.ink; v.pen.lineWidth = 2; v.pen.globalAlpha = 1;
      v.pen.beginPath(); v.pen.arc(x, y, this.radius(v.focus.index) + 4, 0, 7); v.pen.stroke();
    }
    const names = this.mark.names as string[] | undefined;
    if (names) {
      v.pen.font = `600 14px ${FONT}`; v.pen.fillStyle = v.theme.ink; v.pen.textAlign = "left"; v.pen.textBaseline = "middle";
      names.forEach((name, i) => {
        const [x, y] = this.place(v, i);
        if (Number.isFinite(x + y)) halo(v, name, x + this.radius(i) + 5, y);
      });
    }
    v.pen.restore();
  }

  hit(v: View, px: number, py: number): Hit | null {
    const n = (this.mark.xy as Arr).shape[0];
    let best: Hit | null = null;
    for (let i = 0; i < n; i++) {
      const [x, y] = this.place(v, i);
      const d = Math.hypot(x - px, y - py) - this.radius(i);
      if (d < (this.mark.drag ? 9 : 6) && (!best || d < best.distance)) best = { key: this.mark.key, index: i, distance: d };
    }
    if (best) best.text = this.tell(best.index);
    return best;
  }
  private tell(i: number): string {
    const name = (this.mark.names as string[] | undefined)?.[i] ?? `${text(this.mark.label) || this.mark.key} ${i + 1}`;
    return `${name}: (${show(at(this.mark.xy, i, 0))}, ${show(at(this.mark.xy, i, 1))})`;
  }
  table() {
    const xy = this.mark.xy as Arr, rows: (string | number)[][] = [];
    const coloured = typeof this.mark.color === "object";
    for (let i = 0; i < xy.shape[0]; i++) {
      const row: (string | number)[] = [(this.mark.names as string[])?.[i] ?? i + 1, at(xy, i, 0), at(xy, i, 1)];
      if (coloured) row.push(Number(colorOf(this.mark.color, i)) + 1);
      rows.push(row);
    }
    return { head: ["", "x", "y", ...(coloured ? ["class"] : [])], rows };
  }
}

const made = new Map<string, HTMLCanvasElement>(); // points of one look are drawn once

export const FONT = 'system-ui, "Noto Sans", "Noto Sans CJK JP", "Noto Sans TC", sans-serif';

export function halo(v: View, words: string, x: number, y: number): void {
  const fill = v.pen.fillStyle;
  if ("strokeText" in v.pen) {
    const pen = v.pen as CanvasRenderingContext2D;
    pen.lineWidth = 3; pen.lineJoin = "round"; pen.strokeStyle = v.theme.paper; pen.strokeText(words, x, y);
  }
  v.pen.fillStyle = fill;
  v.pen.fillText(words, x, y);
}

function sprite(theme: Theme, ratio: number, r: number, fill: string, shape: string, hollow: boolean): HTMLCanvasElement {
  const c = document.createElement("canvas"), side = (c.width = c.height = 2 * Math.ceil(ratio * (r + 3)));
  const pen = c.getContext("2d")!;
  pen.scale(ratio, ratio);
  stamp(pen, theme, side / 2 / ratio, side / 2 / ratio, r, fill, shape, hollow);
  return c;
}

export function stamp(pen: Pen, theme: Theme, x: number, y: number, r: number, fill: string, shape: string, hollow: boolean): void {
  pen.beginPath();
  if (shape === "square") { const s = r * 0.88; pen.rect(x - s, y - s, 2 * s, 2 * s); }
  else if (shape === "diamond") { const s = r * 1.2; pen.moveTo(x, y - s); pen.lineTo(x + s, y); pen.lineTo(x, y + s); pen.lineTo(x - s, y); pen.closePath(); }
  else if (shape === "triangle") { const s = r * 1.15; pen.moveTo(x, y - s); pen.lineTo(x + s, y + 0.8 * s); pen.lineTo(x - s, y + 0.8 * s); pen.closePath(); }
  else if (shape === "cross") {
    pen.moveTo(x - r, y - r); pen.lineTo(x + r, y + r); pen.moveTo(x + r, y - r); pen.lineTo(x - r, y + r);
    pen.strokeStyle = fill; pen.lineWidth = 2.5; pen.stroke();
    return;
  } else pen.arc(x, y, r, 0, 2 * Math.PI);
  if (hollow) { pen.fillStyle = theme.paper; pen.fill(); pen.strokeStyle = fill; pen.lineWidth = 2.5; pen.stroke(); return; }
  pen.fillStyle = fill; pen.fill();
  pen.strokeStyle = theme.paper; pen.lineWidth = 1; pen.stroke();
}
export { rgb };
