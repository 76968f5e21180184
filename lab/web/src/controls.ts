// The estimator's parameters, with their real names and ranges.
import { el } from "./dom";
import { has, say, show } from "./i18n";
import type { ControlSpec } from "./types";

type Change = (name: string, value: unknown, settled: boolean) => void;

export function control(scene: string, spec: ControlSpec, value: unknown, hints: [number, string][], change: Change): HTMLElement {
  const id = `c-${spec.name}-${Math.random().toString(36).slice(2, 7)}`;
  const key = `${scene}.controls.${spec.name}`, help = has(key) ? say(key) : "";
  const name = el("label", { for: id, title: help || null }, el("code", {}, spec.name));
  const row = el("div", { class: `control ${spec.type}`, "data-control": spec.name }, el("div", { class: "control-head" }, name));
  if (help) row.append(el("p", { class: "help" }, help));
  const option = (o: unknown) => (has(`${scene}.options.${o}`) ? say(`${scene}.options.${o}`) : String(o));
  if (spec.type === "choice") {
    row.firstElementChild!.append(el("select", { id, onchange: (e: Event) => change(spec.name, spec.options[(e.target as HTMLSelectElement).selectedIndex], true) },
      spec.options.map((o) => el("option", { selected: o === value }, option(o)))));
  } else if (spec.type === "flag") {
    row.firstElementChild!.append(el("input", { id, type: "checkbox", checked: value as boolean, onchange: (e: Event) => change(spec.name, (e.target as HTMLInputElement).checked, true) }));
  } else if (spec.type === "many") {
    const chosen = new Set(value as string[]);
    row.append(el("div", { class: "many", role: "group", "aria-label": spec.name }, (spec.options as string[]).map((o) => el("label", { class: "chip" },
      el("input", { type: "checkbox", checked: chosen.has(o), onchange: (e: Event) => {
        if ((e.target as HTMLInputElement).checked) chosen.add(o); else chosen.delete(o);
        if (chosen.size) change(spec.name, spec.options.filter((p) => chosen.has(p as string)), true); else { chosen.add(o); (e.target as HTMLInputElement).checked = true; }
      } }), option(o)))));
  } else if (spec.type === "layers") {
    const sizes = [...(value as number[])];
    const button = (words: string, label: string, act: () => void, off: boolean) => el("button", { type: "button", class: "small", "aria-label": label, disabled: off, onclick: () => { act(); change(spec.name, sizes, true); } }, words);
    row.append(el("div", { class: "layers" },
      sizes.map((n, i) => el("div", { class: "layer" },
        button("−", say("layers.fewer", { n: i + 1 }), () => { sizes[i]--; }, n <= 1), el("output", {}, String(n)),
        button("+", say("layers.more", { n: i + 1 }), () => { sizes[i]++; }, n >= spec.max_units))),
      el("div", { class: "layer" }, button(say("layers.add"), say("layers.add"), () => { sizes.push(sizes[sizes.length - 1] ?? 4); }, sizes.length >= spec.max_layers),
        button(say("layers.drop"), say("layers.drop"), () => { sizes.pop(); }, sizes.length === 0))));
  } else {
    const log = spec.log, to = (v: number) => (log ? Math.log10(v) : v), back = (p: number) => (log ? 10 ** p : p);
    const low = to(spec.low), high = to(spec.high);
    const step = log ? (high - low) / 400 : spec.whole ? 1 : spec.step ?? (high - low) / 200;
    const tidy = (v: number) => (spec.whole ? Math.round(v) : Number(v.toPrecision(log ? 3 : 6)));
    const clamp = (v: number) => Math.max(spec.low, Math.min(spec.high, v));
    const slider = el("input", { type: "range", id, min: low, max: high, step, value: to(value as number), "aria-valuetext": show(value), oninput: () => { const v = clamp(tidy(back(Number(slider.value)))); field.value = String(v); slider.setAttribute("aria-valuetext", show(v)); change(spec.name, v, false); }, onchange: () => change(spec.name, clamp(tidy(back(Number(slider.value)))), true) });
    const field = el("input", { type: "number", class: "value", "aria-label": spec.name, min: spec.low, max: spec.high, step: "any", value: String(tidyShow(value as number)), onchange: () => { const v = Number(field.value); if (Number.isFinite(v)) change(spec.name, clamp(spec.whole ? Math.round(v) : v), true); } });
    row.firstElementChild!.append(field);
    const track = el("div", { class: "track" }, slider);
    for (const [place, words] of hints) {
      const p = (to(place) - low) / (high - low);
      if (p >= 0 && p <= 1) {
        const mark = el("button", { type: "button", class: "hint", title: `${words} = ${show(place)}`, onclick: () => change(spec.name, clamp(place), true) }, words);
        mark.style.left = `calc(${p} * (100% - 16px) + 8px)`;
        track.append(mark);
      }
    }
    row.append(track);
  }
  return row;
}
const tidyShow = (v: number) => Number(v.toPrecision(6));
