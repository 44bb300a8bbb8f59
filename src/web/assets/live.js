/** A live page that could not be fetched is fetched again: nothing else may happen for hours that would ask for it. */
(() => {
  const againMs = 2_000;
  let timer;
  const again = (afterMs) => {
    clearTimeout(timer);
    timer = setTimeout(
      () => document.querySelector("#live")?.dispatchEvent(new CustomEvent("changed")),
      afterMs,
    );
  };
  document.addEventListener("htmx:error", () => again(againMs));
  document.addEventListener("htmx:after:request", (event) => {
    if ((event.detail?.ctx?.response?.status ?? 200) >= 500) again(againMs);
  });
  globalThis.addEventListener("online", () => again(0));
})();
