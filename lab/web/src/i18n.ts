// Texts: catalogues of three languages, numbers set alike everywhere.
import type { Text } from "./types";

export const LANGUAGES: [string, string][] = [["en", "English"], ["ja", "日本語"], ["zh-Hant", "繁體中文"]];
const catalogues = new Map<string, Record<string, string>>();
let current = "en";
export const language = () => current;

export async function speak(language: string): Promise<void> {
  const embedded = (window as { kisoTexts?: Record<string, Record<string, string>> }).kisoTexts;
  for (const name of new Set(["en", language])) {
    if (catalogues.has(name)) continue;
    catalogues.set(name, embedded ? embedded[name] : await (await fetch(`/texts/${name}`)).json());
  }
  current = language;
  document.documentElement.lang = language;
}

export async function allTexts(): Promise<Record<string, Record<string, string>>> {
  const now = current;
  for (const [name] of LANGUAGES) await speak(name);
  await speak(now);
  return Object.fromEntries(catalogues);
}

export function preferred(): string {
  for (const wanted of navigator.languages ?? [navigator.language]) {
    if (wanted.startsWith("ja")) return "ja";
    if (/^zh-(Hant|TW|HK|MO)/i.test(wanted)) return "zh-Hant";
    if (wanted.startsWith("en")) return "en";
  }
  return "en";
}

export function has(key: string): boolean {
  return key in (catalogues.get(current) ?? {}) || key in (catalogues.get("en") ?? {});
}

export function say(key: string, args: Record<string, unknown> = {}): string {
  const text = catalogues.get(current)?.[key] ?? catalogues.get("en")?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => (name in args ? show(args[name]) : `{${name}}`));
}

export function text(value: Text): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : say(value.msg, value.args);
}

// three significant digits; whole numbers whole, thousands apart by a thin space
export function show(value: unknown, digits = 3): string {
  if (value === null) return "–";
  if (typeof value !== "number") {
    return typeof value === "object" && value && "msg" in value ? text(value as Text) : String(value);
  }
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  let out: string;
  if (Number.isInteger(value) && size < 1e7) out = group(String(size));
  else if (size >= 1e5 || (size < 1e-3 && size > 0)) {
    const [m, p] = size.toExponential(digits - 1).split("e");
    out = `${m} × 10${[...String(Number(p))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("")}`;
  } else {
    const places = Math.max(0, digits - 1 - Math.floor(Math.log10(size || 1)));
    const [whole, part] = size.toFixed(places).split(".");
    out = group(whole) + (part ? "." + part : "");
  }
  return (value < 0 ? "−" : "") + out;
}
// the label of a tick: no more digits than it needs; on a logarithmic axis 10 000 is 10⁴
export function tick(value: number, log = false): string {
  const size = Math.abs(value);
  if (size >= (log ? 1e4 : 1e5) || (size < 1e-2 && size > 0)) {
    const [m, p] = size.toExponential(2).split("e"), digits = String(Number(m));
    const power = `10${[...String(Number(p))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("")}`;
    return (value < 0 ? "−" : "") + (digits === "1" ? power : `${digits}·${power}`);
  }
  const [whole, part] = String(Number(size.toPrecision(6))).split(".");
  return (value < 0 ? "−" : "") + group(whole) + (part ? "." + part : "");
}
const group = (digits: string) => (digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, "\u2009") : digits);
