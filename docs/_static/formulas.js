// Draws every formula of the page; one that KaTeX cannot read stays as text, in red.
document.addEventListener("DOMContentLoaded", () => {
  for (const node of document.querySelectorAll("span.math, div.math > .formula")) {
    const display = node.classList.contains("formula");
    katex.render(node.textContent, node, { displayMode: display, throwOnError: false });
  }
});
