// Search over INDEX, which stands above this script; the contents open where there is room; one button unfolds all code.
(() => {
  // the words of a query, as `searching.py` makes them of the pages
  const common = new Set(INDEX.common);
  const words = text => (text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").match(/[a-z0-9]+/g) || [])
    .map(w => w.replace(/(?<=[a-z]{3})(?<!s)s$/, "")).filter(w => !common.has(w));
  const known = Object.keys(INDEX.words);
  const search = text => {
    let scores = null;
    for (const word of words(text)) {
      const now = new Map();
      for (const term of known) {
        if (!term.startsWith(word)) continue;
        const pairs = INDEX.words[term], worth = term === word ? 2 : 1;
        for (let i = 0; i < pairs.length; i += 2) now.set(pairs[i], (now.get(pairs[i]) || 0) + worth * pairs[i + 1]);
      }
      scores = scores === null ? now : new Map([...scores].filter(([p]) => now.has(p)).map(([p, s]) => [p, s + now.get(p)]));
    }
    return scores === null ? [] : [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 12).map(([p]) => INDEX.places[p]);
  };
  const query = document.getElementById("query"), list = document.getElementById("found");
  const show = () => {
    list.replaceChildren(...search(query.value).map(([address, title, page]) => {
      const row = document.createElement("li"), link = document.createElement("a"), where = document.createElement("small");
      link.href = address; link.textContent = title; where.textContent = page; link.append(" ", where); row.append(link);
      return row;
    }));
    if (query.value.trim() && !list.children.length) {
      const row = document.createElement("li"); row.textContent = "Nothing found."; list.append(row);
    }
  };
  query.addEventListener("input", show);
  query.addEventListener("keydown", event => {
    if (event.key === "Escape") { query.value = ""; show(); }
    if (event.key === "Enter" && list.querySelector("a")) list.querySelector("a").click();
  });
  list.addEventListener("click", () => { query.value = ""; show(); });
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) { event.preventDefault(); query.focus(); }
  });
  const contents = document.querySelector("details.contents");
  if (contents && matchMedia("(min-width: 1000px)").matches) contents.open = true;
  const here = contents && contents.querySelector("[aria-current]");
  if (here && contents.open) contents.scrollTop = here.offsetTop - 80;
  const button = document.getElementById("unfold"), folds = document.querySelectorAll("details.fold");
  if (!folds.length) button.hidden = true;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    folds.forEach(f => { f.open = open; });
    button.setAttribute("aria-pressed", open); button.textContent = open ? "Hide code" : "Show code";
  });
})();
