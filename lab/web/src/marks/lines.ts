// Lines, segments, arrows, areas, lines across, words.
import { role } from "../theme";
import { show, text } from "../i18n";
import type { Arr, Mark } from "../types";
import { at, colorOf, dim, type Drawn, type Hit, type View } from "./base";
import { FONT, halo } from "./points";

const DASH = [6, 4];

export class Line implements Drawn {
  constructor(public mark: Mark) {}
  draw(v: View): void {
    const xy = this.mark.xy as Arr, n = xy.shape[0];
    v.pen.save();
    v.pen.globalAlpha = this.mark.alpha * dim(v, this.mark);
    v.pen.strokeStyle = role(v.theme, this.mark.color);
    v.pen.lineWidth = this.mark.width;
    v.pen.setLineDash(this.mark.dash ? DASH : []);
    v.pen.beginPath();
    let open = false, last: [number, number] | null = null;
    for (let i = 0; i < n; i++) {
      const x = v.sx(at(xy, i, 0)), y = v.sy(at(xy, i, 1));
      if (!Number.isFinite(x + y)) { open = false; continue; }
      const cy = Math.max(-1e4, Math.min(1e4, y)), cx = Math.max(-1e4, Math.min(1e4, x));
      if (open) v.pen.lineTo(cx, cy); else v.pen.moveTo(cx, cy);
      open = true;
      if (cx >= v.left && cx <= v.right && cy >= v.top && cy <= v.bottom) last = [cx, cy];
    }
    v.pen.stroke();
    const label = text(this.mark.label);
    if (label && last) {
      v.pen.font = `13px ${FONT}`; v.pen.fillStyle = role(v.theme, this.mark.color); v.pen.textBaseline = "middle"; v.pen.globalAlpha = 1;
      const right = last[0] > v.right - 12 - v.pen.measureText(label).width;
      v.pen.textAlign = right ? "right" : "left";
      halo(v, label, last[0] + (right ? -6 : 6), Math.max(v.top + 10, Math.min(v.bottom - 10, last[1] - (right ? 10 : 0))));
    }
    v.pen.restore();
  }
  hit(v: View, px: number, py: number): Hit | null {
    const xy = this.mark.xy as Arr;
    let best: Hit | null = null;
    for (let i = 0; i < xy.shape[0]; i++) {
      const d = Math.hypot(v.sx(at(xy, i, 0)) - px, v.sy(at(xy, i, 1)) - py);
      if (d < 7 && (!best || d < best.distance)) best = { key: this.mark.key, index: i, distance: d + 4 };
    }
    if (best) best.text = `${text(this.mark.label) || this.mark.key}: (${show(at(xy, best.index, 0))}, ${show(at(xy, best.index, 1))})`;
    return best;
  }
  table() {
    const xy = this.mark.xy as Arr;
    return { head: ["x", text(this.mark.label) || "y"], rows: Array.from({ length: xy.shape[0] }, (_, i) => [at(xy, i, 0), at(xy, i, 1)]) };
  }
}

export class Segments implements Drawn {
  private old: Arr | null = null;
  constructor(public mark: Mark) {}
  from(old: Drawn): void {
    const before = (old as Segments).mark.ends as Arr;
    if (before.shape[0] === this.mark.ends.shape[0] && before !== this.mark.ends) this.old = before;
  }
  draw(v: View): void {
    const ends = this.mark.ends as Arr, n = ends.shape[0];
    v.pen.save();
    v.pen.globalAlpha = this.mark.alpha * dim(v, this.mark);
    v.pen.lineWidth = this.mark.width;
    v.pen.setLineDash(this.mark.dash ? DASH : []);
    const value = (i: number, j: number) => {
      const now = at(ends, i, j);
      return this.old && v.k < 1 ? at(this.old, i, j) * (1 - v.k) + now * v.k : now;
    };
    const groups = new Map<string, number[]>();
    for (let i = 0; i < n; i++) {
      const color = role(v.theme, colorOf(this.mark.color, i));
      const group = groups.get(color);
      if (group) group.push(i); else groups.set(color, [i]);
    }
    for (const [color, members] of groups) {
      v.pen.strokeStyle = color;
      v.pen.beginPath();
      for (const i of members) {
        v.pen.moveTo(v.sx(value(i, 0)), v.sy(value(i, 1)));
        v.pen.lineTo(v.sx(value(i, 2)), v.sy(value(i, 3)));
      }
      v.pen.stroke();
    }
    v.pen.restore();
  }
}

export class Arrows implements Drawn {
  constructor(public mark: Mark) {}
  draw(v: View): void {
    const a = this.mark.xyuv as Arr;
    v.pen.save();
    v.pen.globalAlpha = dim(v, this.mark);
    v.pen.lineWidth = this.mark.width;
    for (let i = 0; i < a.shape[0]; i++) {
      const x0 = v.sx(at(a, i, 0)), y0 = v.sy(at(a, i, 1));
      const x1 = v.sx(at(a, i, 0) + at(a, i, 2)), y1 = v.sy(at(a, i, 1) + at(a, i, 3));
      const length = Math.hypot(x1 - x0, y1 - y0);
      if (!(length > 0.5)) continue;
      const head = Math.min(9, length * 0.5), angle = Math.atan2(y1 - y0, x1 - x0);
      v.pen.strokeStyle = v.pen.fillStyle = role(v.theme, colorOf(this.mark.color, i));
      v.pen.beginPath(); v.pen.moveTo(x0, y0); v.pen.lineTo(x1 - head * 0.7 * Math.cos(angle), y1 - head * 0.7 * Math.sin(angle)); v.pen.stroke();
      v.pen.beginPath(); v.pen.moveTo(x1, y1);
      for (const side of [-0.42, 0.42]) v.pen.lineTo(x1 - head * Math.cos(angle + side), y1 - head * Math.sin(angle + side));
      v.pen.closePath(); v.pen.fill();
    }
    v.pen.restore();
  }
  hit(v: View, px: number, py: number): Hit | null {
    const a = this.mark.xyuv as Arr;
    for (let i = 0; i < a.shape[0]; i++) {
      const d = Math.hypot(v.sx(at(a, i, 0) + at(a, i, 2)) - px, v.sy(at(a, i, 1) + at(a, i, 3)) - py);
      if (d < 7) return { key: this.mark.key, index: i, distance: d + 3, text: `${text(this.mark.label) || this.mark.key} ${i + 1}: (${show(at(a, i, 2))}, ${show(at(a, i, 3))})` };
    }
    return null;
  }
  table() {
    const a = this.mark.xyuv as Arr;
    return { head: ["x", "y", "Δx", "Δy"], rows: Array.from({ length: a.shape[0] }, (_, i) => [0, 1, 2, 3].map((j) => at(a, i, j))) };
  }
}

export class Area implements Drawn {
  constructor(public mark: Mark) {}
  draw(v: View): void {
    const xy = this.mark.xy as Arr, n = xy.shape[0];
    v.pen.save();
    v.pen.globalAlpha = this.mark.alpha * dim(v, this.mark);
    v.pen.fillStyle = role(v.theme, this.mark.color);
    v.pen.beginPath();
    for (let i = 0; i < n; i++) v.pen[i ? "lineTo" : "moveTo"](v.sx(at(xy, i, 0)), v.sy(at(xy, i, 1)));
    for (let i = n - 1; i >= 0; i--) v.pen.lineTo(v.sx(at(xy, i, 0)), v.sy(at(xy, i, 2)));
    v.pen.closePath(); v.pen.fill();
    v.pen.restore();
  }
  table() {
    const xy = this.mark.xy as Arr;
    return { head: ["x", "low", "high"], rows: Array.from({ length: xy.shape[0] }, (_, i) => [0, 1, 2].map((j) => at(xy, i, j))) };
  }
}

export class RuleLine implements Drawn {
  constructor(public mark: Mark) {}
  draw(v: View): void {
    v.pen.save();
    v.pen.globalAlpha = dim(v, this.mark);
    v.pen.strokeStyle = v.pen.fillStyle = role(v.theme, this.mark.color);
    v.pen.lineWidth = 1.2;
    v.pen.setLineDash(this.mark.dash ? DASH : []);
    v.pen.beginPath();
    v.pen.font = `13px ${FONT}`;
    const label = text(this.mark.label);
    if (this.mark.x !== undefined) {
      const x = v.sx(this.mark.x);
      v.pen.moveTo(x, v.top); v.pen.lineTo(x, v.bottom); v.pen.stroke();
      const left = x > v.right - 80;
      v.pen.textAlign = left ? "right" : "left"; v.pen.textBaseline = "top";
      if (label) halo(v, label, x + (left ? -5 : 5), v.top + 3);
    } else {
      const y = v.sy(this.mark.y);
      v.pen.moveTo(v.left, y); v.pen.lineTo(v.right, y); v.pen.stroke();
      v.pen.textAlign = "right"; v.pen.textBaseline = "bottom";
      if (label) halo(v, label, v.right - 4, y - 3);
    }
    v.pen.restore();
  }
}

export class Texts implements Drawn {
  constructor(public mark: Mark) {}
  draw(v: View): void {
    v.pen.save();
    v.pen.globalAlpha = dim(v, this.mark);
    v.pen.font = `13px ${FONT}`; v.pen.textBaseline = "middle"; v.pen.textAlign = this.mark.align;
    v.pen.fillStyle = role(v.theme, this.mark.color);
    (this.mark.names as string[]).forEach((name, i) => halo(v, name, v.sx(at(this.mark.xy, i, 0)), v.sy(at(this.mark.xy, i, 1))));
    v.pen.restore();
  }
  table() {
    return { head: ["", "x", "y"], rows: (this.mark.names as string[]).map((name, i) => [name, at(this.mark.xy, i, 0), at(this.mark.xy, i, 1)]) };
  }
}
