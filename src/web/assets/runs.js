/** Left and right through the frames of a run, play, a slider that shows at once, and lines to copy. */
(() => {
  /** A frame is looked at so long while it plays. */
  const playMs = 900;
  let timer;
  const at = (mark) => document.querySelector(`[data-frames] [data-frame="${mark}"]`);
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    dress();
  };
  const play = () => {
    timer = setInterval(() => {
      const next = at("next");
      if (next) next.click();
      else stop();
    }, playMs);
    dress();
  };
  const dress = () => {
    for (const frames of document.querySelectorAll("[data-frames]")) {
      let button = frames.querySelector("[data-play]");
      if (!button) {
        button = document.createElement("button");
        button.type = "button";
        button.className = "quiet";
        button.dataset.play = "";
        frames.append(button);
      }
      button.textContent = timer === undefined ? "Play" : "Pause";
    }
    for (const line of document.querySelectorAll("[data-copy]:not([data-copies])")) {
      line.dataset.copies = "";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = "Copy";
      button.addEventListener("click", () => {
        void navigator.clipboard?.writeText(line.textContent).then(() => {
          button.textContent = "Copied";
        });
      });
      line.after(" ", button);
    }
  };
  document.addEventListener("click", (event) => {
    if (!event.target.matches("[data-play]")) return;
    if (timer === undefined) play();
    else stop();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-slider]")) event.target.form.requestSubmit();
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-slider]")) return;
    const output = event.target.form.querySelector("output");
    if (output) output.textContent = `${event.target.value}/${event.target.max}`;
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select"))
      return;
    const link =
      event.key === "ArrowLeft" ? at("previous") : event.key === "ArrowRight" ? at("next") : undefined;
    if (!link) return;
    event.preventDefault();
    link.click();
  });
  document.addEventListener("htmx:after:swap", dress);
  dress();
})();
