// Surfaces seen from above, bars, matrices, small images.
import { css, role, rgb, scaleColor, type Theme } from "../theme";
import { show, text } from "../i18n";
import type { Arr, Mark } from "../types";
import { at, colorOf, dim, type Drawn, type Hit, type View } from "./base";
import { FONT } from "./points";

const painted = new WeakMap<object, Map<string, HTMLCanvasElement>>();

// paints (height, width) numbers into a small canvas, once for each array and theme
export function paint(theme: Theme, values: Arr, offset: number, h: number, w: number, scale: string, low: number, high: number, flip: boolean): HTMLCanvasElement {
  let kept = painted.get(values);
  if (!kept) painted.set(values, (kept = new Map()));
  const key = `${theme.paper}${offset}${scale}${low}${high}${flip}`;
  const known = kept.get(key);
  if (known) return known;
  const canvas = document.createElement("canvas");
  canvas.width = w; canvas.height = h;
  const pen = canvas.getContext("2d")!;
  const image = pen.createImageData(w, h);
  const classes = theme.data.map(rgb), wide = high - low || 1;
  const table = new Map<number, [number, number, number]>();
  for (let i = 0; i < h; i++) {
    for (let j = 0; j < w; j++) {
      const value = values.data[offset + (flip ? h - 1 - i : i) * w + j];
      let c: [number, number, number];
      let alpha = 255;
      if (scale === "classes") { if (value < 0) { c = [0, 0, 0]; alpha = 0; } else c = classes[value % classes.length]; }
      else {
        const v = scale === "diverging" ? value / (Math.max(Math.abs(low), Math.abs(high)) || 1) : (value - low) / wide;
        const q = Number.isNaN(v) ? -9 : Math.round(v * 255);
        c = table.get(q) ?? scaleColor(theme, scale, v);
        table.set(q, c);
      }
      image.data.set([c[0], c[1], c[2], alpha], 4 * (i * w + j));
    }
  }
  pen.putImageData(image, 0, 0);
  kept.set(key, canvas);
  return canvas;
}

export class Field implements Drawn {
  constructor(public mark: Mark) {}
  draw(v: View): void {
    const a = this.mark.values as Arr, [h, w] = a.shape, [x0, x1, y0, y1] = this.mark.extent as number[];
    const image = paint(v.theme, a, 0, h, w, this.mark.scale, this.mark.low ?? 0, this.mark.high ?? 1, true);
    // values stand at the places of a grid that ends at the extent: cells reach half beyond
    const dx = (v.sx(x1) - v.sx(x0)) / Math.max(1, w - 1), dy = (v.sy(y0) - v.sy(y1)) / Math.max(1, h - 1);
    v.pen.save();
    v.pen.globalAlpha = this.mark.alpha * dim(v, this.mark);
    v.pen.imageSmoothingEnabled = this.mark.scale !== "grey" && (this.mark.scale !== "classes" || w < 200);
    v.pen.drawImage(image, v.sx(x0) - dx / 2, v.sy(y1) - dy / 2, v.sx(x1) - v.sx(x0) + dx, v.sy(y0) - v.sy(y1) + dy);
    v.pen.restore();
  }
  table() {
    const a = this.mark.values as Arr, [h, w] = a.shape, every = Math.max(1, Math.floor(Math.max(h, w) / 12));
    const [x0, x1, y0, y1] = this.mark.extent as number[], rows: number[][] = [];
    for (let i = 0; i < h; i += every) for (let j = 0; j < w; j += every)
      rows.push([x0 + ((x1 - x0) * j) / Math.max(1, w - 1), y0 + ((y1 - y0) * i) / Math.max(1, h - 1), a.data[i * w + j]]);
    return { head: ["x", "y", text(this.mark.label) || this.mark.key], rows };
  }
}

export class Bars implements Drawn {
  private old: Arr | null = null;
  constructor(public mark: Mark) {}
  from(old: Drawn): void {
    const before = (old as Bars).mark.heights as Arr;
    if (before.shape[0] === this.mark.heights.shape[0] && before !== this.mark.heights) this.old = before;
  }
  private box(v: View, i: number): [number, number, number, number] {
    const now = this.mark.heights.data[i], height = this.old && v.k < 1 ? this.old.data[i] * (1 - v.k) + now * v.k : now;
    const x = this.mark.x.data[i], half = this.mark.width / 2;
    const [a, b, c, d] = this.mark.horizontal
      ? [v.sx(0), v.sx(height), v.sy(x + half), v.sy(x - half)]
      : [v.sx(x - half), v.sx(x + half), v.sy(0), v.sy(height)];
    const clip = (z: number, lo: number, hi: number) => Math.max(lo, Math.min(hi, z));
    const xs = [a, b].map((z) => clip(z, v.left, v.right)).sort((p, q) => p - q), ys = [c, d].map((z) => clip(z, v.top, v.bottom)).sort((p, q) => p - q);
    return [xs[0], ys[0], xs[1] - xs[0], ys[1] - ys[0]];
  }
  draw(v: View): void {
    v.pen.save();
    v.pen.globalAlpha = dim(v, this.mark);
    const n = this.mark.heights.shape[0], names = this.mark.names as string[] | undefined;
    for (let i = 0; i < n; i++) {
      const box = this.box(v, i);
      v.pen.fillStyle = role(v.theme, colorOf(this.mark.color, i));
      v.pen.beginPath(); v.pen.rect(...box); v.pen.fill();
      if (v.focus?.key === this.mark.key && v.focus.index === i) { v.pen.strokeStyle = v.theme.ink; v.pen.lineWidth = 2; v.pen.stroke(); }
      if (this.mark.low && !this.mark.horizontal) {
        const x = v.sx(this.mark.x.data[i]);
        v.pen.strokeStyle = v.theme.ink; v.pen.lineWidth = 1.5;
        v.pen.beginPath(); v.pen.moveTo(x, v.sy(this.mark.low.data[i])); v.pen.lineTo(x, v.sy(this.mark.high.data[i])); v.pen.stroke();
      }
      if (names) {
        v.pen.font = `13px ${FONT}`; v.pen.fillStyle = v.theme.ink;
        if (this.mark.horizontal) { v.pen.textAlign = "right"; v.pen.textBaseline = "middle"; v.pen.fillText(names[i], v.left - 6, box[1] + box[3] / 2); }
        else { v.pen.textAlign = "center"; v.pen.textBaseline = "top"; v.pen.fillText(names[i], box[0] + box[2] / 2, v.bottom + 4); }
      }
    }
    v.pen.restore();
  }
  hit(v: View, px: number, py: number): Hit | null {
    for (let i = 0; i < this.mark.heights.shape[0]; i++) {
      const [x, y, w, h] = this.box(v, i);
      if (px >= x - 1 && px <= x + w + 1 && py >= y - 4 && py <= y + h + 4)
        return { key: this.mark.key, index: i, distance: 5, text: `${(this.mark.names as string[])?.[i] ?? show(this.mark.x.data[i])}: ${show(this.mark.heights.data[i])}` };
    }
    return null;
  }
  table() {
    return { head: ["", text(this.mark.label) || this.mark.key], rows: Array.from({ length: this.mark.heights.shape[0] }, (_, i) => [(this.mark.names as string[])?.[i] ?? this.mark.x.data[i], this.mark.heights.data[i]]) };
  }
}

export class Matrix implements Drawn {
  constructor(public mark: Mark) {}
  private cell(v: View) {
    const [h, w] = this.mark.values.shape;
    const head = this.mark.rows ? 56 : 0, top = this.mark.columns ? 22 : 0;
    const size = Math.min((v.right - v.left - head) / w, (v.bottom - v.top - top) / h, 64);
    const x = v.left + head + (v.right - v.left - head - size * w) / 2;
    return { size, x, y: v.top + top + Math.max(0, (v.bottom - v.top - top - size * h) / 2), h, w };
  }
  draw(v: View): void {
    const { size, x, y, h, w } = this.cell(v), a = this.mark.values as Arr;
    const finite = Array.from(a.data).filter(Number.isFinite), most = Math.max(...finite.map(Math.abs), 1e-12);
    const low = this.mark.low ?? (this.mark.scale === "diverging" ? -most : Math.min(...finite)), high = this.mark.high ?? (this.mark.scale === "diverging" ? most : Math.max(...finite));
    v.pen.save();
    v.pen.globalAlpha = dim(v, this.mark);
    for (let i = 0; i < h; i++) for (let j = 0; j < w; j++) {
      const value = a.data[i * w + j], px = x + j * size, py = y + i * size;
      const c = scaleColor(v.theme, this.mark.scale, this.mark.scale === "diverging" ? value / Math.max(Math.abs(low), Math.abs(high), 1e-12) : (value - low) / (high - low || 1));
      v.pen.fillStyle = css(c);
      v.pen.beginPath(); v.pen.rect(px, py, size - 1, size - 1); v.pen.fill();
      const index = i * w + j;
      if ((this.mark.marked && this.mark.marked.data[index]) || (v.focus?.key === this.mark.key && v.focus.index === index)) {
        v.pen.strokeStyle = v.theme.ink; v.pen.lineWidth = 2; v.pen.stroke();
      }
      if (this.mark.text && size >= 26 && Number.isFinite(value)) {
        const bright = 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
        v.pen.fillStyle = bright > 140 ? "#1b1f24" : "#ffffff";
        v.pen.font = `${size > 40 ? 13 : 11}px ${FONT}`; v.pen.textAlign = "center"; v.pen.textBaseline = "middle";
        v.pen.fillText(value.toFixed(this.mark.digits).replace("-", "−"), px + size / 2, py + size / 2);
      }
    }
    v.pen.font = `12px ${FONT}`; v.pen.fillStyle = v.theme.muted;
    v.pen.textBaseline = "middle"; v.pen.textAlign = "right";
    (this.mark.rows as string[] | undefined)?.forEach((name, i) => v.pen.fillText(name, x - 6, y + (i + 0.5) * size));
    v.pen.textBaseline = "bottom"; v.pen.textAlign = "center";
    (this.mark.columns as string[] | undefined)?.forEach((name, j) => v.pen.fillText(name, x + (j + 0.5) * size, y - 4));
    v.pen.restore();
  }
  hit(v: View, px: number, py: number): Hit | null {
    const { size, x, y, h, w } = this.cell(v), j = Math.floor((px - x) / size), i = Math.floor((py - y) / size);
    if (i < 0 || j < 0 || i >= h || j >= w) return null;
    return { key: this.mark.key, index: i * w + j, distance: 6, text: `${text(this.mark.label) || this.mark.key} [${i + 1}, ${j + 1}] = ${show(this.mark.values.data[i * w + j])}` };
  }
  table() {
    const { values } = this.mark, [h, w] = values.shape;
    return { head: ["", ...Array.from({ length: w }, (_, j) => (this.mark.columns as string[])?.[j] ?? String(j + 1))], rows: Array.from({ length: h }, (_, i) => [(this.mark.rows as string[])?.[i] ?? i + 1, ...Array.from({ length: w }, (_, j) => values.data[i * w + j])]) };
  }
}

export class Images implements Drawn {
  constructor(public mark: Mark) {}
  private cell(v: View) {
    const [n, h, w] = this.mark.stack.shape, label = this.mark.names ? 18 : 0, gap = 6;
    const size = (k: number) => Math.min(((v.right - v.left) / k - gap) / w, ((v.bottom - v.top) / Math.ceil(n / k) - gap - label) / h);
    let columns = Math.min(n, this.mark.columns);
    if (!columns) for (let k = columns = 1; k <= n; k++) if (size(k) > size(columns)) columns = k; // 0: as they are largest
    const rows = Math.ceil(n / columns), scale = Math.max(size(columns), 1 / h);
    const cw = scale * w + gap, ch = scale * h + gap + label;
    return { n, h, w, columns, scale, cw, ch, x: v.left + (v.right - v.left - cw * columns) / 2, y: v.top + (v.bottom - v.top - ch * rows) / 2 };
  }
  draw(v: View): void {
    const c = this.cell(v), a = this.mark.stack as Arr;
    let low = this.mark.low, high = this.mark.high;
    if (low === undefined || high === undefined) {
      let lo = Infinity, hi = -Infinity;
      for (const z of a.data) { if (z < lo) lo = z; if (z > hi) hi = z; }
      low ??= this.mark.scale === "grey" ? Math.min(0, lo) : lo; high ??= hi;
    }
    v.pen.save();
    v.pen.globalAlpha = dim(v, this.mark);
    v.pen.imageSmoothingEnabled = false;
    for (let i = 0; i < c.n; i++) {
      const px = c.x + (i % c.columns) * c.cw, py = c.y + Math.floor(i / c.columns) * c.ch;
      v.pen.drawImage(paint(v.theme, a, i * c.h * c.w, c.h, c.w, this.mark.scale, low, high, false), px, py, c.scale * c.w, c.scale * c.h);
      const color = this.mark.color === undefined ? v.theme.hairline : role(v.theme, colorOf(this.mark.color, i));
      const marked = this.mark.marked?.data[i] || (v.focus?.key === this.mark.key && v.focus.index === i);
      v.pen.strokeStyle = marked ? v.theme.ink : color; v.pen.lineWidth = marked ? 3 : this.mark.color === undefined ? 1 : 2;
      v.pen.beginPath(); v.pen.rect(px, py, c.scale * c.w, c.scale * c.h); v.pen.stroke();
      if (this.mark.names) {
        v.pen.font = `12px ${FONT}`; v.pen.fillStyle = v.theme.ink; v.pen.textAlign = "center"; v.pen.textBaseline = "top";
        const name = (this.mark.names as string[])[i] ?? "", fits = v.pen.measureText(name).width <= c.cw; // else what stands before the colon
        v.pen.fillText(fits ? name : name.split(":")[0], px + (c.scale * c.w) / 2, py + c.scale * c.h + 3);
      }
    }
    v.pen.restore();
  }
  // of the image under the pointer: its number, and the pixel
  pixel(v: View, px: number, py: number): { image: number; i: number; j: number } | null {
    const c = this.cell(v), q = Math.floor((px - c.x) / c.cw), r = Math.floor((py - c.y) / c.ch);
    const image = r * c.columns + q, j = Math.floor((px - c.x - q * c.cw) / c.scale), i = Math.floor((py - c.y - r * c.ch) / c.scale);
    if (q < 0 || q >= c.columns || r < 0 || image >= c.n || i < 0 || j < 0 || i >= c.h || j >= c.w) return null;
    return { image, i, j };
  }
  hit(v: View, px: number, py: number): Hit | null {
    const p = this.pixel(v, px, py);
    if (!p) return null;
    const [, h, w] = this.mark.stack.shape, value = this.mark.stack.data[(p.image * h + p.i) * w + p.j];
    return { key: this.mark.key, index: this.mark.stack.shape[0] === 1 ? p.i * w + p.j : p.image, distance: 6, text: `${(this.mark.names as string[])?.[p.image] ?? p.image + 1} [${p.i + 1}, ${p.j + 1}] = ${show(value)}` };
  }
  table() {
    const [n, h, w] = this.mark.stack.shape, rows: (string | number)[][] = [];
    for (let k = 0; k < Math.min(n, 20); k++) for (let i = 0; i < h; i++)
      rows.push([(this.mark.names as string[])?.[k] ?? k + 1, i + 1, ...Array.from(this.mark.stack.data.slice((k * h + i) * w, (k * h + i + 1) * w) as Float32Array, (z) => Number(z.toPrecision(3)))]);
    return { head: ["", "row", ...Array.from({ length: w }, (_, j) => String(j + 1))], rows };
  }
}
export { at };
