// What a drawn mark can do. Each kind of mark is a file here; index.ts lists them.
import type { Theme } from "../theme";
import type { Arr, Mark } from "../types";

// the part of a canvas context that marks use: the SVG export draws through the same calls
export type Pen = Pick<CanvasRenderingContext2D,
  "beginPath" | "moveTo" | "lineTo" | "arc" | "rect" | "closePath" | "fill" | "stroke" | "fillText" | "setLineDash" | "save" | "restore" |
  "fillStyle" | "strokeStyle" | "lineWidth" | "globalAlpha" | "font" | "textAlign" | "textBaseline" | "drawImage" | "imageSmoothingEnabled" | "measureText">;

export interface View {
  pen: Pen; theme: Theme; width: number; height: number;
  left: number; right: number; top: number; bottom: number; // of the frame inside the axes, px
  sx(x: number): number; sy(y: number): number;
  k: number; // how far a transition is, 0 to 1
  hot: string | null; // the term that the pointer is over in the rule
  focus: { key: string; index: number } | null;
}

export interface Drawn {
  mark: Mark;
  draw(v: View): void;
  hit?(v: View, x: number, y: number): Hit | null;
  table?(): { head: string[]; rows: (string | number)[][] };
  from?(old: Drawn): void; // begin a transition from the mark of the frame before
}
export interface Hit { key: string; index: number; distance: number; text?: string }

export const at = (a: Arr, i: number, j: number) => a.data[i * a.shape[1] + j];
export const colorOf = (color: unknown, i: number): unknown =>
  color && typeof color === "object" ? (color as Arr).data[i] : color;
export const dim = (v: View, mark: Mark) => (v.hot !== null && mark.term !== v.hot ? 0.35 : 1);
export const nums = (a: Arr, i: number) => {
  const d = a.shape[1];
  return Array.from({ length: d }, (_, j) => Number(a.data[i * d + j]));
};
