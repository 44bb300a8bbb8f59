/** The theme somebody chose here, before anything is painted; else the one their system has. */
(() => {
  const root = document.documentElement;
  const names = ["", "light", "dark"];
  const chosen = () => {
    try {
      return globalThis.localStorage.getItem("theme") ?? "";
    } catch {
      return "";
    }
  };
  const wear = (theme) => {
    if (names.includes(theme) && theme !== "") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  const word = (theme) => `Theme: ${theme === "" ? "system" : theme}`;
  wear(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("#theme");
    if (button === null) return;
    button.hidden = false;
    button.textContent = word(chosen());
    button.addEventListener("click", () => {
      const next = names[(names.indexOf(chosen()) + 1) % names.length];
      try {
        globalThis.localStorage.setItem("theme", next);
      } catch {
        // Without a place to keep it, it is worn until the next page.
      }
      wear(next);
      button.textContent = word(next);
    });
  });
})();
