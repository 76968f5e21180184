// Small helpers to build elements.
type Child = Node | string | null | undefined | false;
type Props = Record<string, unknown>;

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: (Child | Child[])[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  set(node, props);
  node.append(...(children.flat().filter((c) => c || c === "") as (Node | string)[]));
  return node;
}

export function svg(tag: string, props: Props = {}, ...children: Child[]): SVGElement {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(node, props);
  node.append(...(children.filter(Boolean) as (Node | string)[]));
  return node;
}

function set(node: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value as EventListener);
    else if (name === "test") node.setAttribute("data-testid", String(value));
    else if (name === "value" || name === "checked" || name === "disabled" || name === "selected") (node as unknown as Props)[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

export function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// The size of a node inside its border, kept until it changes: asking the node lays out the page.
export function sizeOf(node: HTMLElement, changed: () => void): () => [number, number] {
  let size: [number, number] | null = null;
  new ResizeObserver(() => { size = null; changed(); }).observe(node);
  return () => (size ??= [node.clientWidth, node.clientHeight]);
}
