// The trace format: binary frames (live) and JSON lines (files); arrays are named by content.
import type { Arr, Nums } from "./types";

const KINDS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array } as const;
type Kind = keyof typeof KINDS;
interface Entry { id: string; type: Kind; shape: number[]; at: number }

export class Arrays {
  private known = new Map<string, Arr>();
  clear(): void { this.known.clear(); }

  // puts arrays where {"$": id} stands
  fill(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((v) => this.fill(v));
    if (value && typeof value === "object") {
      const id = (value as { $?: string }).$;
      if (typeof id === "string") return this.known.get(id);
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, this.fill(v)]));
    }
    return value;
  }

  binary(buffer: ArrayBuffer): unknown {
    const n = new DataView(buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, n)));
    for (const a of head.arrays as Entry[]) {
      const size = a.shape.reduce((p, q) => p * q, 1);
      this.known.set(a.id, { shape: a.shape, data: new KINDS[a.type](buffer, 4 + n + a.at, size) as Nums });
    }
    return this.fill(head.message);
  }

  lines(text: string): unknown[] {
    const out: unknown[] = [];
    for (const row of text.split("\n")) {
      if (!row) continue;
      const value = JSON.parse(row);
      if (typeof value.array === "string") {
        const data = (value.data as (number | null)[]).map((v) => (v === null ? NaN : v));
        this.known.set(value.array, { shape: value.shape, data: KINDS[value.type as Kind].from(data) as Nums });
      } else out.push(this.fill(value));
    }
    return out;
  }
}

export function encode(value: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  let text = "";
  for (const b of bytes) text += String.fromCharCode(b);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function decode(text: string): unknown {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(raw, (c) => c.charCodeAt(0))));
}
