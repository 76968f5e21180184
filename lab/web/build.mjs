// Bundles src/ into ../../src/kiso/lab/static/: the same bytes from the same sources.
import { build } from "esbuild";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";

const out = process.argv[2] ?? "../../src/kiso/lab/static";
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const common = { bundle: true, minify: true, charset: "utf8", legalComments: "none", target: "es2022" };
await build({ ...common, entryPoints: ["src/main.ts"], outfile: `${out}/lab.js`, format: "iife" });
const fonts = "node_modules/katex/dist/fonts";
const katex = readFileSync("node_modules/katex/dist/katex.min.css", "utf8")
  .replace(/url\(fonts\/([\w-]+)\.woff2\) format\("woff2"\),url\([^)]*\) format\("woff"\),url\([^)]*\) format\("truetype"\)/g,
    'url($1.woff2) format("woff2")');
await build({ ...common, entryPoints: ["src/style.css"], outfile: `${out}/lab.css` });
writeFileSync(`${out}/lab.css`, katex.trim() + "\n" + readFileSync(`${out}/lab.css`, "utf8"));
for (const name of readdirSync(fonts).filter((n) => n.endsWith(".woff2"))) cpSync(`${fonts}/${name}`, `${out}/${name}`);
cpSync("src/index.html", `${out}/index.html`);
cpSync("node_modules/katex/LICENSE", `${out}/KATEX-LICENSE.txt`);
