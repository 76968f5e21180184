// The page: the start, one scene, or a run that is replayed.
import { el } from "./dom";
import { LANGUAGES, language, preferred, say, speak } from "./i18n";
import { Live, Replay, type Source } from "./source";
import { readFragment, Stage } from "./stage";
import { isDark, setTheme } from "./theme";

const SCENES = "kmeans kmeans-plus-plus gradient-descent regression bayes classifiers pca neighbours network convolution approximation gan adversarial no-free-lunch one-shot".split(" ");
const root = document.getElementById("lab")!;
const embedded = document.getElementById("kiso-trace");
const query = new URLSearchParams(location.search);
const stored = (key: string) => { try { return localStorage.getItem(key); } catch { return null; } };
let stage: Stage | null = null;
let source: Source;

function bar(): HTMLElement {
  const select = el("select", { test: "lang", "aria-label": say("bar.language"), onchange: async () => {
    await speak(select.value);
    try { localStorage.setItem("kiso-lang", select.value); } catch { /* storage is off */ }
    top();
    if (stage) stage.again_(); else home();
  } }, LANGUAGES.map(([code, name]) => el("option", { value: code, selected: code === language() }, name)));
  return el("header", { class: "bar" },
    embedded ? el("strong", { class: "brand" }, "kiso lab") : el("a", { href: "#", class: "brand" }, "kiso lab"),
    el("span", { class: "grow" }),
    select, el("button", { type: "button", test: "theme", onclick: () => { setTheme(!isDark()); top(); if (stage) stage.again_(); } }, say(isDark() ? "bar.light" : "bar.dark")));
}
let header = el("header");
const body = el("div", { class: "body" });
function top(): void { const made = bar(); header.replaceWith(made); header = made; }

function home(): void {
  document.title = "kiso lab";
  body.replaceChildren(el("main", { class: "home" }, el("h1", {}, say("home.title")), el("p", { class: "lead" }, say("home.lead")),
    el("ul", { class: "cards" }, available.map((name) => el("li", {}, el("a", { href: `#${name}`, "data-scene": name, class: "card" },
      el("h2", {}, say(`${name}.title`)), el("p", {}, say(`${name}.blurb`))))))));
}

let available: string[] = [];
function route(): void {
  stage?.close();
  stage = null;
  const fragment = decodeURIComponent(location.hash.slice(1));
  if (!fragment) { home(); return; }
  try {
    const { setup, t, task } = readFragment(fragment);
    if (!available.includes(setup.scene)) throw new Error("no such scene");
    stage = new Stage(source, setup, t, task);
    body.replaceChildren(stage.node);
  } catch {
    body.replaceChildren(el("main", { class: "home" }, el("p", { role: "alert", class: "trouble error" }, say("home.damaged")), el("a", { href: "#" }, say("home.back"))));
  }
}

async function begin(): Promise<void> {
  const theme = stored("kiso-theme");
  if (theme) document.documentElement.dataset.theme = theme;
  if (embedded) {
    (window as { kisoTexts?: unknown }).kisoTexts = JSON.parse(document.getElementById("kiso-texts")!.textContent!);
    await speak(document.documentElement.lang || "en");
    const replay = new Replay(JSON.parse(embedded.textContent!));
    source = replay;
    root.append(header, body);
    top();
    stage = new Stage(replay, replay.head.setup, 0, null);
    body.replaceChildren(stage.node);
    return;
  }
  const token = query.get("token") ?? "";
  await speak(query.get("lang") ?? stored("kiso-lang") ?? preferred());
  available = SCENES.filter((name) => say(`${name}.title`) !== `${name}.title`);
  // the token stays out of the address bar, so that a copied address does not hold it
  history.replaceState(null, "", location.pathname + location.hash);
  source = new Live(token, () => undefined);
  root.append(header, body);
  top();
  addEventListener("hashchange", route);
  route();
}
(window as { kisoLab?: unknown }).kisoLab = { stage: () => stage };
void begin();
