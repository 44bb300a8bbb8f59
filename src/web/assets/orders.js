/** Keys that decide: `a` goes to the approval of the row at hand and, pressed again, gives it; `d` opens what is to change. */
(() => {
  const place = () =>
    document.activeElement?.closest("[data-row]") ??
    document.querySelector("section.wait") ??
    document.querySelector("[data-row]:not([hidden])");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return;
    if (event.key === "a") {
      const button = place()?.querySelector('[data-order="approve"] button');
      if (button === null || button === undefined) return;
      if (document.activeElement === button) button.click();
      else button.focus();
    } else if (event.key === "d") {
      const words = place()?.querySelector('[data-order="reject"]');
      if (words === null || words === undefined) return;
      event.preventDefault();
      words.open = true;
      words.querySelector("textarea").focus();
    }
  });
})();
