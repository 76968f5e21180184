// What the server says: see src/kiso/lab/_scene.py and _marks.py.
export type Nums = Float64Array | Float32Array | Int32Array | Uint8Array;
export interface Arr { shape: number[]; data: Nums }
export interface Msg { msg: string; args: Record<string, unknown> }
export type Text = Msg | string | null | undefined;
export interface AxisSpec { low: number; high: number; label: Text; log: boolean }
// eslint-disable-next-line
export type Mark = { mark: string; key: string; term?: string; label?: Text; [name: string]: any };
export interface PictureSpec {
  key: string; title: Text; x: AxisSpec | null; y: AxisSpec | null;
  equal: boolean; edit: boolean; wide: number; marks: Mark[];
}
export interface RuleSpec { symbols: string; numbers: string; caption: Msg | null; terms: Record<string, unknown>; result: string }
export interface FrameSpec {
  pictures: PictureSpec[]; rules: RuleSpec[]; summary: Msg; phase: string;
  hints: Record<string, [number, string][]>; diverged: boolean; facts: { label: Msg; value: unknown }[];
}
export interface CheckSpec { label: Msg; difference: number; same: boolean; ours: number | null; reference: number | null }
export interface Lane {
  t: number; n: number; done: boolean; limit: string; hash: string; frame: FrameSpec; series?: Arr;
  params: Record<string, unknown>;
  points: { xy: Arr; y: Arr; names: [string, string]; source: string; classes: string[] } | null;
  checks?: CheckSpec[];
}
export interface ControlSpec {
  type: "number" | "choice" | "many" | "flag" | "layers"; name: string; default: unknown; group: string;
  when: [string, unknown[]] | null; low: number; high: number; step: number | null; log: boolean; whole: boolean;
  options: unknown[]; max_layers: number; max_units: number;
}
export interface SceneSpec {
  name: string; rows: number[]; controls: ControlSpec[];
  data: { sets: { name: string; sized: boolean; source: string }[]; n: number; classes: number; target: boolean } | null;
  beside: Record<string, unknown>; presets: Record<string, { params: Record<string, unknown>; data: Record<string, unknown> }>; actions: { kind: string; steps: number; when?: [string, unknown[]] | null }[]; tasks: string[];
  objectives: string[]; log_objective: boolean; keep_step: boolean; edits_go_on: boolean;
}
export interface Shown { id: number; t: number; pending: boolean; lanes: Lane[]; solved: string[]; scene?: SceneSpec; error?: string; wants?: string }
export type Edit = (string | number)[];
export interface Act { t: number; kind: string; [name: string]: unknown }
export interface Setup {
  scene: string; params: Record<string, unknown>; data: Record<string, unknown>; seed: number; actions: Act[];
  beside?: Record<string, unknown> | null;
}
export interface Focus { key: string; index: number }
