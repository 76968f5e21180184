// The update of this very step: with symbols, and with its numbers.
import katex from "katex";
import { el } from "./dom";
import { text } from "./i18n";
import type { RuleSpec } from "./types";

export class RuleView {
  node = el("div", { class: "rules", test: "rule" });
  constructor(private hover: (term: string | null) => void) {
    this.node.addEventListener("pointerover", (e) => this.point((e.target as Element).closest("[data-term]")?.getAttribute("data-term") ?? null));
    this.node.addEventListener("pointerleave", () => this.point(null));
  }
  private point(term: string | null): void { this.mark(term); this.hover(term); }
  private hot: string | null = null;
  mark(term: string | null | undefined): void { this.hot = term ?? null; this.light(); }
  private light(): void {
    for (const node of this.node.querySelectorAll("[data-term]")) node.classList.toggle("hot", node.getAttribute("data-term") === this.hot);
  }
  private typeset = new Map<string, HTMLElement>(); // symbols stay the same from step to step
  set(rules: RuleSpec[]): void {
    const before = this.typeset;
    this.typeset = new Map();
    this.node.replaceChildren(...rules.map((rule) => {
      let symbols = before.get(rule.symbols);
      if (!symbols || this.typeset.has(rule.symbols)) tex(rule.symbols, (symbols = el("div", { class: "formula symbols" })));
      this.typeset.set(rule.symbols, symbols);
      const numbers = el("div", { class: "formula numbers", "data-values": JSON.stringify(rule.terms), "data-result": rule.result });
      tex(rule.numbers, numbers);
      return el("div", { class: "rule-block" }, rule.caption && el("p", { class: "note" }, text(rule.caption)), symbols, numbers);
    }));
    this.light(); // what is kept and what is new alike
  }
}

export function tex(source: string, into: HTMLElement): void {
  katex.render(source, into, {
    displayMode: true, throwOnError: false, strict: false, output: "htmlAndMathml",
    trust: (context: { command: string }) => context.command === "\\htmlData",
    macros: { "\\t": "\\htmlData{term=#1}{#2}" },
  });
}
