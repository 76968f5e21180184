// Points in space that the user turns: drag, or the arrow keys with Alt.
import { role } from "../theme";
import { show } from "../i18n";
import type { Arr, Mark } from "../types";
import { at, colorOf, dim, type Drawn, type View } from "./base";
import { FONT, halo, stamp } from "./points";

export const turn = { yaw: 0.6, pitch: 0.45 };

export class Cloud implements Drawn {
  private low = [0, 0, 0];
  private high = [1, 1, 1];
  constructor(public mark: Mark) {
    const a = mark.xyz as Arr;
    for (let j = 0; j < 3; j++) {
      let lo = Infinity, hi = -Infinity;
      for (let i = 0; i < a.shape[0]; i++) { lo = Math.min(lo, at(a, i, j)); hi = Math.max(hi, at(a, i, j)); }
      this.low[j] = lo; this.high[j] = hi > lo ? hi : lo + 1;
    }
  }
  private project(v: View, p: number[]): [number, number, number] {
    const q = p.map((z, j) => (2 * (z - this.low[j])) / (this.high[j] - this.low[j]) - 1);
    const [c, s, d, e] = [Math.cos(turn.yaw), Math.sin(turn.yaw), Math.cos(turn.pitch), Math.sin(turn.pitch)];
    const x = c * q[0] - s * q[1], y = s * q[0] + c * q[1], z = q[2];
    const size = Math.min(v.right - v.left, v.bottom - v.top) * 0.29;
    return [(v.left + v.right) / 2 + size * x, (v.top + v.bottom) / 2 - size * (d * z + e * y), d * y - e * z];
  }
  draw(v: View): void {
    const a = this.mark.xyz as Arr;
    v.pen.save();
    v.pen.globalAlpha = dim(v, this.mark);
    const axis = [0, 1, 2].map((j) => this.low.map((z, i) => (i === j ? this.high[i] : z)));
    const origin = this.project(v, this.low);
    v.pen.strokeStyle = v.theme.muted; v.pen.lineWidth = 1; v.pen.font = `13px ${FONT}`; v.pen.fillStyle = v.theme.ink;
    axis.forEach((end, j) => {
      const p = this.project(v, end);
      v.pen.beginPath(); v.pen.moveTo(origin[0], origin[1]); v.pen.lineTo(p[0], p[1]); v.pen.stroke();
      halo(v, (this.mark.names as string[])[j], p[0] + 4, p[1]);
    });
    if (this.mark.plane) {
      const [n1, n2, n3, d] = this.mark.plane as number[];
      if (Math.abs(n3) > 1e-9) {
        const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([p, q]) => {
          const x = p ? this.high[0] : this.low[0], y = q ? this.high[1] : this.low[1];
          return this.project(v, [x, y, Math.max(this.low[2] - 1, Math.min(this.high[2] + 1, -(n1 * x + n2 * y + d) / n3))]);
        });
        v.pen.globalAlpha = 0.18; v.pen.fillStyle = v.theme.ink; v.pen.beginPath();
        corners.forEach((p, i) => v.pen[i ? "lineTo" : "moveTo"](p[0], p[1]));
        v.pen.closePath(); v.pen.fill(); v.pen.globalAlpha = 1;
      }
    }
    const order = Array.from({ length: a.shape[0] }, (_, i) => ({ i, p: this.project(v, [0, 1, 2].map((j) => at(a, i, j))) })).sort((p, q) => q.p[2] - p.p[2]);
    for (const { i, p } of order) {
      const c = colorOf(this.mark.color, i);
      stamp(v.pen, v.theme, p[0], p[1], this.mark.size, role(v.theme, c), Number(c) === 1 ? "square" : "disc", false);
    }
    v.pen.restore();
  }
  table() {
    const a = this.mark.xyz as Arr;
    return { head: ["", ...(this.mark.names as string[])], rows: Array.from({ length: a.shape[0] }, (_, i) => [i + 1, ...[0, 1, 2].map((j) => Number(show(at(a, i, j)).replace("−", "-")) || at(a, i, j))]) };
  }
}
