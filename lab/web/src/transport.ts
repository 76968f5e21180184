// Play, pause, step, step back, scrub, speed, run to the end.
import { el, svg } from "./dom";
import { say, show } from "./i18n";

// drawn, not typed: few fonts have these signs
const ICONS: Record<string, string> = {
  start: "M3 3h2v10H3zM14 3v10L6 8z", back: "M12 3v10L4 8z", step: "M4 3v10l8-5z", end: "M11 3h2v10h-2zM2 3v10l8-5z",
  play: "M4 2.5v11l9-5.5z", pause: "M4 3h3v10H4zM9 3h3v10H9z",
};
const icon = (name: string) => svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, svg("path", { d: ICONS[name], fill: "currentColor" }));

const SPEEDS = [0.5, 1, 2, 5, 10, 30, 60];

export class Transport {
  node: HTMLElement;
  private play = el("button", { type: "button", test: "play", class: "main", onclick: () => this.toggle() });
  private scrub = el("input", { type: "range", test: "scrub", min: 0, max: 1, step: 1, value: 0, oninput: () => { this.stop(); this.go(Number(this.scrub.value)); } });
  private speed = el("select", { test: "speed", onchange: () => { this.rate = SPEEDS[this.speed.selectedIndex]; } }, SPEEDS.map((s) => el("option", { selected: s === 2 }, `${s}`)));
  private where = el("output", { class: "where" });
  private words: [HTMLElement, string][] = [];
  rate = 2;
  playing = false;
  private due = 0;
  private last = 0;
  t = 0;
  done = false;
  busy = () => false;
  target = () => this.t; // where the run is going, ahead of what is shown while it works

  constructor(private go: (t: number) => void) {
    const button = (test: string, act: () => void) => {
      const b = el("button", { type: "button", test, onclick: () => { this.stop(); act(); } }, icon(test));
      this.words.push([b, `transport.${test}`]);
      return b;
    };
    const speed = el("label", { class: "speed" }, el("span", {}), this.speed);
    this.words.push([speed.firstElementChild as HTMLElement, "transport.speed"], [this.scrub, "transport.scrub"]);
    this.node = el("div", { class: "transport", role: "group" },
      button("start", () => this.go(0)), button("back", () => this.go(Math.max(0, this.target() - 1))), this.play,
      button("step", () => this.go(this.target() + 1)), button("end", () => this.go(1e9)),
      this.scrub, this.where, speed);
    this.speak();
    this.stop();
  }
  speak(): void {
    this.node.setAttribute("aria-label", say("transport.label"));
    for (const [node, key] of this.words) {
      if (node.tagName === "SPAN") node.textContent = say(key); else { node.setAttribute("aria-label", say(key)); node.title = say(key); }
    }
    this.face();
  }
  private face(): void {
    const key = this.playing ? "transport.pause" : "transport.play";
    this.play.replaceChildren(icon(this.playing ? "pause" : "play"), say(key));
    this.play.title = say(key);
  }
  set(t: number, n: number, done: boolean): void {
    this.t = t;
    this.done = done && t >= n - 1;
    this.scrub.max = String(Math.max(1, n - 1));
    this.scrub.value = String(t);
    this.scrub.setAttribute("aria-valuetext", say("transport.where", { t, n: n - 1 }));
    this.where.textContent = `${show(t)}${done ? ` / ${show(n - 1)}` : ""}`;
    if (this.done) this.stop();
  }
  toggle(): void {
    if (this.playing) { this.stop(); return; }
    if (this.done) this.go(0);
    this.done = false;
    this.playing = true; this.due = 0; this.last = performance.now();
    this.face();
    requestAnimationFrame(this.tick);
  }
  stop(): void { this.playing = false; this.face(); }
  private tick = (now: number): void => {
    if (!this.playing) return;
    this.due += ((now - this.last) / 1000) * this.rate;
    this.last = now;
    // steps are due by the clock: a slow frame is followed by more steps, none is left out
    if (this.due >= 1 && !this.busy()) { const n = Math.floor(this.due); this.due -= n; this.go(this.t + n); }
    requestAnimationFrame(this.tick);
  };
  key(e: KeyboardEvent): boolean {
    const acts: Record<string, () => void> = {
      " ": () => this.toggle(), ArrowRight: () => { this.stop(); this.go(this.target() + 1); }, ArrowLeft: () => { this.stop(); this.go(Math.max(0, this.target() - 1)); },
      Home: () => { this.stop(); this.go(0); }, End: () => { this.stop(); this.go(1e9); },
    };
    const act = acts[e.key];
    if (!act) return false;
    act();
    return true;
  }
}
