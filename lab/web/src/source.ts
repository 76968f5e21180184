// Where answers come from: the server's socket, or a trace that the page holds.
import { Arrays } from "./codec";
import type { Lane, SceneSpec, Setup, Shown } from "./types";

export interface Source {
  live: boolean;
  ask(request: Record<string, unknown>): Promise<Record<string, unknown>>;
  send?(request: Record<string, unknown>, file: Blob): Promise<Record<string, unknown>>;
}

export class Live implements Source {
  live = true;
  private arrays = new Arrays();
  private socket: WebSocket | null = null;
  private waiting = new Map<number, (m: Record<string, unknown>) => void>();
  private next = 1;
  constructor(private token: string, private lost: () => void) {}

  private open(): Promise<WebSocket> {
    const now = this.socket;
    if (now && now.readyState === WebSocket.OPEN) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const at = new URL("/talk", location.href);
      at.protocol = "ws:";
      if (this.token) at.searchParams.set("token", this.token);
      const socket = new WebSocket(at);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => { this.socket = socket; this.arrays.clear(); resolve(socket); };
      socket.onmessage = (e) => {
        const m = (typeof e.data === "string" ? JSON.parse(e.data) : this.arrays.binary(e.data)) as Record<string, unknown>;
        const done = this.waiting.get(m.id as number);
        this.waiting.delete(m.id as number);
        done?.(m);
      };
      socket.onclose = () => {
        if (this.socket === socket) { this.socket = null; this.lost(); }
        for (const done of this.waiting.values()) done({ error: "lost" });
        this.waiting.clear();
        reject(new Error("lost"));
      };
    });
  }

  async ask(request: Record<string, unknown>, file?: Blob): Promise<Record<string, unknown>> {
    let socket: WebSocket;
    try { socket = await this.open(); } catch { return { error: "lost" }; }
    const id = this.next++;
    if (request.fresh) this.arrays.clear();
    const answer = new Promise<Record<string, unknown>>((resolve) => this.waiting.set(id, resolve));
    socket.send(JSON.stringify({ ...request, id }));
    if (file) socket.send(await file.arrayBuffer());
    return answer;
  }
  send(request: Record<string, unknown>, file: Blob) { return this.ask(request, file); }
}

interface Head { setup: Setup; scene: SceneSpec; steps: number }
interface Entry { t: number; lanes: Lane[] }

// A stored run: every step is there, nothing is computed.
export class Replay implements Source {
  live = false;
  head: Head;
  private steps: Entry[];
  constructor(text: string) {
    const all = new Arrays().lines(text);
    this.head = all[0] as Head;
    this.steps = all.slice(1) as Entry[];
  }
  ask(request: Record<string, unknown>): Promise<Record<string, unknown>> {
    const last = this.steps[this.steps.length - 1];
    if (request.op !== "show") return Promise.resolve({ error: "offline" });
    const entry = this.steps[Math.min(request.t as number, this.steps.length - 1)];
    const lanes = entry.lanes.map((lane, i) => ({
      ...lane, n: last.lanes[i].n, done: true, series: last.lanes[i].series,
    }));
    const shown: Shown = { id: 0, t: entry.t, pending: false, lanes, solved: [], scene: this.head.scene };
    return Promise.resolve(shown as unknown as Record<string, unknown>);
  }
}
