// What leaves the lab: link, script, pictures, tables, trace, a page that replays the run.
import { encode } from "./codec";
import { svg } from "./dom";
import { allTexts, language, show, text } from "./i18n";
import type { Pen } from "./marks/base";
import type { PictureView } from "./picture";
import type { Setup } from "./types";

export function linkOf(setup: Setup, t: number, task: string | null): string {
  return `${location.protocol === "file:" ? "" : location.origin + "/"}#${fragmentOf(setup, t, task)}`;
}
export function fragmentOf(setup: Setup, t: number, task: string | null): string {
  const held: Record<string, unknown> = { t, seed: setup.seed };
  if (Object.keys(setup.params).length) held.params = setup.params;
  if (Object.keys(setup.data).length) held.data = setup.data;
  if (setup.actions.length) held.actions = setup.actions;
  if (setup.beside) held.beside = setup.beside;
  if (task) held.task = task;
  return `${setup.scene}/${encode(held)}`;
}

const HEAD = (w: number, h: number, paper: string) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}"><rect width="100%" height="100%" fill="${paper}"/>`;

export function svgOf(views: PictureView[]): { source: string; width: number; height: number } {
  let x = 0, height = 0, body = "";
  for (const view of views) {
    const [w, h] = view.box, pen = new SvgPen(), v = view.view(pen as unknown as Pen, w, h, 1);
    view.draw(v);
    const axes = view.axesNodes(v).map((node) => {
      const kind = node.getAttribute("class");
      node.removeAttribute("class");
      if (kind === "axis") { node.setAttribute("fill", "none"); node.setAttribute("stroke", v.theme.hairline); }
      else { node.setAttribute("font-family", "system-ui, sans-serif"); node.setAttribute("font-size", "13"); node.setAttribute("fill", v.theme.muted); }
      return new XMLSerializer().serializeToString(node);
    }).join("");
    const title = text(view.spec!.title);
    const id = `clip${Math.round(x)}`;
    const clip = view.spec!.x ? `<clipPath id="${id}"><rect x="${v.left - 1}" y="${v.top - 20}" width="${v.right - v.left + 60}" height="${v.bottom - v.top + 42}"/></clipPath>` : "";
    body += `<g transform="translate(${x} 34)">${clip}<g${clip ? ` clip-path="url(#${id})"` : ""}>${pen.out.join("")}</g>${axes}<text x="16" y="-12" font-family="system-ui, sans-serif" font-size="16" font-weight="600" fill="${v.theme.ink}">${escape(title)}</text></g>`;
    x += w; height = Math.max(height, h + 34);
  }
  const paper = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();
  return { source: HEAD(x, height, paper) + body + "</svg>", width: x, height };
}

export async function pngOf(views: PictureView[]): Promise<Blob> {
  const { source, width, height } = svgOf(views);
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(source);
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * width; canvas.height = 2 * height;
  canvas.getContext("2d")!.drawImage(image, 0, 0, 2 * width, 2 * height);
  return new Promise((resolve) => canvas.toBlob((b) => resolve(b!), "image/png"));
}

const escape = (s: string) => s.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

// takes the calls that marks make of a canvas, and writes SVG
class SvgPen {
  out: string[] = [];
  fillStyle: string = "#000"; strokeStyle: string = "#000"; lineWidth = 1; globalAlpha = 1; font = "13px sans-serif";
  textAlign = "left"; textBaseline = "alphabetic"; imageSmoothingEnabled = true;
  private path = ""; private dash: number[] = []; private kept: unknown[] = [];
  beginPath() { this.path = ""; }
  moveTo(x: number, y: number) { this.path += `M${n(x)} ${n(y)}`; }
  lineTo(x: number, y: number) { this.path += `L${n(x)} ${n(y)}`; }
  rect(x: number, y: number, w: number, h: number) { this.path += `M${n(x)} ${n(y)}h${n(w)}v${n(h)}h${n(-w)}z`; }
  arc(x: number, y: number, r: number) { this.path += `M${n(x - r)} ${n(y)}a${n(r)} ${n(r)} 0 1 0 ${n(2 * r)} 0a${n(r)} ${n(r)} 0 1 0 ${n(-2 * r)} 0z`; }
  closePath() { this.path += "z"; }
  fill() { if (this.path) this.out.push(`<path d="${this.path}" fill="${this.fillStyle}"${this.alpha()}/>`); }
  stroke() { if (this.path) this.out.push(`<path d="${this.path}" fill="none" stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}"${this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : ""}${this.alpha()}/>`); }
  private alpha() { return this.globalAlpha < 1 ? ` opacity="${n(this.globalAlpha)}"` : ""; }
  fillText(words: string, x: number, y: number) {
    const size = /(\d+)px/.exec(this.font)?.[1] ?? "13", dy = this.textBaseline === "middle" ? 0.35 : this.textBaseline === "top" ? 0.85 : 0;
    const anchor = { left: "start", right: "end", center: "middle" }[this.textAlign] ?? "start";
    this.out.push(`<text x="${n(x)}" y="${n(y + dy * Number(size))}" font-family="system-ui, sans-serif" font-size="${size}" text-anchor="${anchor}" fill="${this.fillStyle}"${/^6/.test(this.font) ? ' font-weight="600"' : ""}>${escape(words)}</text>`);
  }
  setLineDash(dash: number[]) { this.dash = dash; }
  measureText(words: string) { return { width: words.length * 7 }; }
  save() { this.kept.push([this.fillStyle, this.strokeStyle, this.lineWidth, this.globalAlpha, this.font, this.textAlign, this.textBaseline, this.dash]); }
  restore() { [this.fillStyle, this.strokeStyle, this.lineWidth, this.globalAlpha, this.font, this.textAlign, this.textBaseline, this.dash] = this.kept.pop() as [string, string, number, number, string, string, string, number[]]; }
  drawImage(image: HTMLCanvasElement, x: number, y: number, w: number, h: number) {
    this.out.push(`<image x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" preserveAspectRatio="none" href="${image.toDataURL()}"${this.alpha()}/>`);
  }
}
const n = (v: number) => Number(v.toFixed(2));

export function csvOf(trace: string): string {
  const rows = trace.trim().split("\n").map((l) => JSON.parse(l));
  const arrays = new Map(rows.filter((r) => r.array).map((r) => [r.array, r]));
  const out = ["step,run,name,index,value"];
  for (const row of rows) {
    if (!row.states) continue;
    (row.states as Record<string, unknown>[]).forEach((state, run) => {
      for (const [name, value] of Object.entries(state)) {
        const id = (value as { $?: string })?.$;
        if (id) (arrays.get(id)!.data as (number | null)[]).forEach((v, i) => out.push(`${row.t},${run},${name},${i},${v ?? "NaN"}`));
        else out.push(`${row.t},${run},${name},,${typeof value === "object" ? `"${JSON.stringify(value).replace(/"/g, '""')}"` : value ?? "NaN"}`);
      }
    });
  }
  return out.join("\n") + "\n";
}

const base64 = (buffer: ArrayBuffer) => {
  let out = "";
  for (const b of new Uint8Array(buffer)) out += String.fromCharCode(b);
  return btoa(out);
};

// one file that replays the run: the page's own script and style, the texts, the trace
export async function replayOf(trace: string, title: string): Promise<string> {
  const script = (await (await fetch("/static/lab.js")).text()).replace(/<\/script/gi, "<\\/script");
  let style = await (await fetch("/static/lab.css")).text();
  for (const name of new Set([...style.matchAll(/url\(([\w-]+\.woff2)\)/g)].map((m) => m[1])))
    style = style.replaceAll(`url(${name})`, `url(data:font/woff2;base64,${base64(await (await fetch(`/static/${name}`)).arrayBuffer())})`);
  const held = (value: string) => value.replace(/</g, "\\u003c");
  const hash = base64(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script)));
  return `<!doctype html>
<html lang="${language()}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:">
<title>${escape(title)} · kiso lab</title><link rel="icon" href="data:,"><style>${style}</style></head><body><div id="lab"></div>
<script type="application/json" id="kiso-texts">${held(JSON.stringify(await allTexts()))}</script>
<script type="application/json" id="kiso-trace">${held(JSON.stringify(trace))}</script>
<script>${script}</script></body></html>
`;
}
void svg; void show;
