// Colours by role, read from the style sheet, so that light and dark are one set of names.
export interface Theme {
  ink: string; muted: string; hairline: string; paper: string; wash: string; data: string[]; dark: boolean;
}
const NAMES = ["blue", "vermilion", "green", "purple", "sky", "amber"];

let current: Theme | null = null; // asked for at every frame, and only dark or light changes it
export function theme(): Theme {
  const dark = isDark();
  return current?.dark === dark ? current : (current = readTheme(dark));
}
function readTheme(dark: boolean): Theme {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: value("ink"), muted: value("muted"), hairline: value("hairline"), paper: value("paper"), wash: value("wash"),
    data: NAMES.map(value), dark,
  };
}

export function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function setTheme(dark: boolean): void {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  try { localStorage.setItem("kiso-theme", dark ? "dark" : "light"); } catch { /* storage is off */ }
}

export function role(t: Theme, color: unknown): string {
  if (typeof color === "number") return color < 0 ? t.muted : t.data[color % t.data.length];
  if (color === "ink") return t.ink;
  if (color === "paper") return t.paper;
  if (color === "hairline") return t.hairline;
  return t.muted;
}

export type RGB = [number, number, number];
export function rgb(hex: string): RGB {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)) as RGB;
}
export const mix = (a: RGB, b: RGB, t: number): RGB => a.map((v, i) => v + (b[i] - v) * t) as RGB;
export const css = (c: RGB) => `rgb(${c.map(Math.round).join(",")})`;

const VIRIDIS: RGB[] = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"].map(rgb);

// value in [0, 1] (sequential, grey) or [-1, 1] (diverging)
export function scaleColor(t: Theme, scale: string, value: number): RGB {
  if (Number.isNaN(value)) return rgb(t.hairline);
  if (scale === "diverging") {
    const v = Math.max(-1, Math.min(1, value));
    return mix(rgb(t.wash), rgb(t.data[v > 0 ? 1 : 0]), Math.abs(v));
  }
  const v = Math.max(0, Math.min(1, value));
  if (scale === "grey") return mix(rgb(t.paper), rgb(t.ink), v);
  if (scale === "blue") return mix(rgb(t.wash), rgb(t.data[0]), v);
  const at = v * (VIRIDIS.length - 1), i = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return mix(VIRIDIS[i], VIRIDIS[i + 1], at - i);
}
