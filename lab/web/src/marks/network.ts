// A network: units in columns, weights as lines, maps of what each unit gives.
import { css, role, scaleColor } from "../theme";
import { show } from "../i18n";
import type { Arr, Mark } from "../types";
import { dim, type Drawn, type Hit, type View } from "./base";
import { paint } from "./cells";
import { FONT, halo } from "./points";

export class Network implements Drawn {
  constructor(public mark: Mark) {}
  private layout(v: View) {
    const weights = this.mark.weights as Arr[];
    const sizes = [weights[0].shape[0], ...weights.map((w) => w.shape[1])];
    const most = Math.max(...sizes);
    const side = Math.max(12, Math.min(44, (v.bottom - v.top) / most - (this.mark.units ? 36 : 20), (v.right - v.left) / sizes.length / 2));
    const place = (l: number, i: number): [number, number] => [
      v.left + side + ((v.right - v.left - 2 * side) * l) / Math.max(1, sizes.length - 1),
      (v.top + v.bottom) / 2 + (i - (sizes[l] - 1) / 2) * Math.min(side + (this.mark.units ? 46 : 24), (v.bottom - v.top - 30) / most),
    ];
    return { sizes, side, place };
  }
  draw(v: View): void {
    const { sizes, side, place } = this.layout(v), weights = this.mark.weights as Arr[];
    const most = Math.max(1e-9, ...weights.map((w) => Math.max(...Array.from(w.data as Float64Array, Math.abs))));
    v.pen.save();
    let number = 0;
    weights.forEach((w, l) => {
      const active = this.mark.active === undefined || this.mark.active === null || this.mark.active === l + 1;
      for (let i = 0; i < w.shape[0]; i++) for (let j = 0; j < w.shape[1]; j++, number++) {
        const value = w.data[i * w.shape[1] + j], [x0, y0] = place(l, i), [x1, y1] = place(l + 1, j);
        const here = v.focus?.key === "weight" && v.focus.index === number;
        v.pen.globalAlpha = here ? 1 : active ? 0.75 : 0.2;
        v.pen.strokeStyle = here ? v.theme.ink : role(v.theme, value > 0 ? 1 : 0);
        v.pen.setLineDash(value < 0 ? [5, 3] : []);
        v.pen.lineWidth = 0.5 + (5 * Math.abs(value)) / most + (here ? 1.5 : 0);
        v.pen.beginPath(); v.pen.moveTo(x0 + side / 2, y0); v.pen.lineTo(x1 - side / 2, y1); v.pen.stroke();
      }
    });
    v.pen.setLineDash([]);
    number = 0;
    sizes.forEach((n, l) => {
      for (let i = 0; i < n; i++, number++) {
        const [x, y] = place(l, i), maps = this.mark.maps as Arr | undefined;
        v.pen.globalAlpha = v.hot ? 0.6 : 1;
        if (maps) {
          const [, h, w] = maps.shape;
          v.pen.drawImage(paint(v.theme, maps, number * h * w, h, w, "diverging", -1, 1, true), x - side / 2, y - side / 2, side, side);
        } else {
          const value = (this.mark.units as Arr[] | undefined)?.[l]?.data[i] ?? 0;
          v.pen.fillStyle = css(scaleColor(v.theme, "diverging", value));
          v.pen.beginPath(); v.pen.rect(x - side / 2, y - side / 2, side, side); v.pen.fill();
        }
        const here = v.focus?.key === "unit" && v.focus.index === number;
        const active = this.mark.active === l;
        v.pen.globalAlpha = 1;
        v.pen.strokeStyle = here || active ? v.theme.ink : v.theme.muted; v.pen.lineWidth = here || active ? 2.5 : 1;
        v.pen.beginPath(); v.pen.rect(x - side / 2, y - side / 2, side, side); v.pen.stroke();
        v.pen.font = `12px ${FONT}`; v.pen.textAlign = "center"; v.pen.fillStyle = v.theme.ink;
        const name = (this.mark.names as string[][] | undefined)?.[l]?.[i];
        v.pen.textBaseline = "top";
        const unit = (this.mark.units as Arr[] | undefined)?.[l];
        const delta = (this.mark.deltas as (Arr | null)[] | undefined)?.[l];
        const known = unit && Number.isFinite(unit.data[i]);
        const words = [[name, known ? show(unit.data[i]) : ""].filter(Boolean).join(" = "), delta ? `δ ${show(delta.data[i])}` : ""].filter(Boolean);
        words.forEach((line, k) => halo(v, line, x, y + side / 2 + 2 + 15 * k));
      }
    });
    v.pen.restore();
    void dim;
  }
  hit(v: View, px: number, py: number): Hit | null {
    const { sizes, side, place } = this.layout(v), weights = this.mark.weights as Arr[];
    let number = 0;
    for (let l = 0; l < sizes.length; l++) for (let i = 0; i < sizes[l]; i++, number++) {
      const [x, y] = place(l, i);
      if (Math.abs(px - x) <= side / 2 + 2 && Math.abs(py - y) <= side / 2 + 2) {
        const value = (this.mark.units as Arr[] | undefined)?.[l]?.data[i];
        return { key: "unit", index: number, distance: 0, text: `a⁽${sup(l + 1)}⁾${sub(i + 1)}${value === undefined ? "" : " = " + show(value)}` };
      }
    }
    number = 0;
    let best: Hit | null = null;
    weights.forEach((w, l) => {
      for (let i = 0; i < w.shape[0]; i++) for (let j = 0; j < w.shape[1]; j++, number++) {
        const [x0, y0] = place(l, i), [x1, y1] = place(l + 1, j), ax = x0 + side / 2, bx = x1 - side / 2;
        const t = Math.max(0, Math.min(1, ((px - ax) * (bx - ax) + (py - y0) * (y1 - y0)) / ((bx - ax) ** 2 + (y1 - y0) ** 2)));
        const d = Math.hypot(px - ax - t * (bx - ax), py - y0 - t * (y1 - y0));
        if (d < 5 && (!best || d < best.distance)) best = { key: "weight", index: number, distance: d, text: `W⁽${sup(l + 2)}⁾${sub(j + 1)}${sub(i + 1)} = ${show(w.data[i * w.shape[1] + j])}` };
      }
    });
    return best;
  }
  table() {
    const rows: (string | number)[][] = [];
    (this.mark.weights as Arr[]).forEach((w, l) => {
      for (let i = 0; i < w.shape[0]; i++) for (let j = 0; j < w.shape[1]; j++) rows.push([`W⁽${sup(l + 2)}⁾`, j + 1, i + 1, w.data[i * w.shape[1] + j]]);
    });
    (this.mark.units as Arr[] | undefined)?.forEach((u, l) => Array.from(u.data).forEach((value, i) => rows.push([`a⁽${sup(l + 1)}⁾`, i + 1, "", value])));
    return { head: ["", "to", "from", "value"], rows };
  }
}
const sup = (n: number) => [...String(n)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]).join("");
const sub = (n: number) => [...String(n)].map((c) => "₀₁₂₃₄₅₆₇₈₉"[Number(c)]).join("");
