/** Keys, and the filter. Everything works without this file, with a pointer or with Tab. */
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
  let before = "";
  document.addEventListener("keydown", (event) => {
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
    } else if (key === "?") document.querySelector("#keys").showModal();
    else if (key === "j") step(1);
    else if (key === "k") step(-1);
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "filter") sift();
  });
  document.addEventListener("htmx:after:swap", sift);
})();
