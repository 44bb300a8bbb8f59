/** Keys, the filter and the palette. Everything works without this file, with a pointer or with Tab. */
(() => {
  const filter = () => document.querySelector("#filter");
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => !row.hidden);
  const sift = () => {
    const words = (filter()?.value ?? "").toLowerCase().split(/\s+/u).filter(Boolean);
    for (const row of document.querySelectorAll("[data-row]")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  };
  const step = (by) => {
    const shown = rows();
    const at = shown.findIndex((row) => row.contains(document.activeElement));
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + by))];
    next?.querySelector("a")?.focus();
  };

  const palette = () => document.querySelector("#palette");
  const list = () => document.querySelector("#palette-list");
  const pages = () =>
    [...document.querySelectorAll("nav a")].map((link) => ({
      path: link.getAttribute("href"),
      text: link.dataset.name ?? link.textContent.trim(),
    }));
  let chosen = 0;
  const mark = () => {
    for (const [at, item] of [...list().children].entries()) {
      item.setAttribute("aria-selected", String(at === chosen));
      if (at === chosen) item.scrollIntoView({ block: "nearest" });
    }
  };
  const fill = (found) => {
    const items = found.map(({ path, text, says }) => {
      const item = document.createElement("li");
      item.role = "option";
      const link = document.createElement("a");
      link.href = path;
      link.tabIndex = -1;
      link.textContent = text;
      item.append(link, says === undefined ? "" : ` ${says}`);
      return item;
    });
    list().replaceChildren(...items);
    chosen = 0;
    mark();
  };
  let asked = 0;
  const look = async (words) => {
    const turn = (asked += 1);
    const has = ({ text }) => text.toLowerCase().includes(words.trim().toLowerCase());
    const places = pages().filter(has);
    fill(places);
    if (words.trim() === "") return;
    const answer = await globalThis
      .fetch(`/find?q=${encodeURIComponent(words)}`, {
        headers: { accept: "application/json" },
      })
      .catch(() => undefined);
    // Only what answers the words that stand there now.
    if (answer?.ok !== true || turn !== asked) return;
    const { tickets } = await answer.json();
    if (turn === asked)
      fill([
        ...places,
        ...tickets.map(({ path, ref, title, state }) => ({ path, text: ref, says: `${title} · ${state}` })),
      ]);
  };
  const openPalette = () => {
    if (palette() === null) return;
    palette().showModal();
    palette().querySelector("input").value = "";
    void look("");
  };
  const inPalette = (event) => {
    const count = list().children.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      chosen = count === 0 ? 0 : (chosen + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
      mark();
    } else if (event.key === "Enter") {
      const link = list().children[chosen]?.querySelector("a");
      if (link === null || link === undefined) return;
      event.preventDefault();
      link.click();
    }
  };

  let before = "";
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (palette()?.open === true) {
      inPalette(event);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches("input, textarea, select");
    if (event.key === "Escape" && isTyping) return void event.target.blur();
    if (isTyping) return;
    const key = before === "g" ? `g ${event.key}` : event.key;
    before = event.key;
    const page =
      key.startsWith("g ") && document.querySelector(`nav [data-key="${CSS.escape(key.slice(2))}"]`);
    if (page) return void page.click();
    if (key === "/") {
      event.preventDefault();
      filter()?.focus();
    } else if (key === "?") document.querySelector("#keys")?.showModal();
    else if (key === "j") step(1);
    else if (key === "k") step(-1);
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "filter") sift();
    else if (palette()?.contains(event.target)) void look(event.target.value);
  });
  document.addEventListener("htmx:after:swap", sift);
})();
