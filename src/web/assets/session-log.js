/** Follows a log: adds what is told, keeps so much of it, and stays where somebody reads. */
(() => {
  /** Lines on a page at once; older ones go, and are told. */
  const mostLines = 2000;
  /** Lines that wait while somebody reads further up. */
  const mostWaiting = 2000;
  const icons = {
    session: "◌",
    prompt: "▷",
    text: "❝",
    tool: "⚙",
    answer: "↳",
    waiting: "⏸",
    usage: "Σ",
    result: "✓",
    cut: "✂",
    stdout: "1",
    stderr: "2",
  };
  const open = new Map();

  const rowOf = ({ at, kind, text, more }) => {
    const row = document.createElement("li");
    row.dataset.kind = kind;
    if (at !== 0) {
      const time = document.createElement("time");
      time.dateTime = new Date(at).toISOString();
      time.textContent = time.dateTime.slice(11, 19);
      row.append(time, " ");
    }
    const what = document.createElement("span");
    what.className = "kind";
    what.textContent = `${icons[kind] ?? "·"} ${kind}`;
    const said = document.createElement("span");
    said.className = "said";
    // Text, whatever it looks like.
    said.textContent = more === 0 ? text : `${text} … ${more} more characters: see the download`;
    row.append(what, " ", said);
    return row;
  };

  const follow = (section) => {
    const list = section.querySelector("[data-log-lines]");
    const foot = section.querySelector("[data-log-foot]");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    foot.before(button);
    let waiting = [];
    let isPaused = false;
    let gone = 0;
    let leftOut = 0;
    let state = "following";
    const isAtEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    const tell = () => {
      button.textContent = isPaused
        ? `Follow (${waiting.length === mostWaiting ? "more than " : ""}${waiting.length} new)`
        : "Pause";
      button.hidden = state === "over" && waiting.length === 0;
      const parts = [
        state === "over"
          ? "The session is over."
          : state === "lost"
            ? "The connection is lost; trying again."
            : isPaused
              ? "Paused."
              : "Following.",
        gone > 0 ? `${gone} earlier lines are no longer on this page.` : "",
        leftOut > 0 ? `${Math.ceil(leftOut / 1024)} KB went by too fast to show: see the download.` : "",
      ];
      const text = parts.filter(Boolean).join(" ");
      if (foot.textContent !== text) foot.textContent = text;
    };
    const put = (lines) => {
      section.querySelector("[data-log-empty]")?.remove();
      list.append(...lines.slice(-mostLines).map(rowOf));
      gone += Math.max(0, lines.length - mostLines);
      while (list.childElementCount > mostLines) {
        list.firstElementChild.remove();
        gone += 1;
      }
      list.scrollTop = list.scrollHeight;
    };
    const goOn = () => {
      isPaused = false;
      const lines = waiting;
      waiting = [];
      put(lines);
      tell();
    };
    button.addEventListener("click", () => {
      if (isPaused) goOn();
      else {
        isPaused = true;
        tell();
      }
    });
    list.addEventListener("scroll", () => {
      if (!isPaused && !isAtEnd()) isPaused = true;
      else if (isPaused && isAtEnd() && list.scrollHeight > list.clientHeight) goOn();
      tell();
    });
    const source = new EventSource(section.dataset.log);
    source.addEventListener("lines", (event) => {
      const told = JSON.parse(event.data);
      leftOut += told.leftOutBytes;
      gone += told.leftOutLines;
      if (isPaused) {
        const all = waiting.concat(told.lines);
        gone += Math.max(0, all.length - mostWaiting);
        waiting = all.slice(-mostWaiting);
      } else put(told.lines);
      tell();
    });
    source.addEventListener("open", () => {
      state = "following";
      tell();
    });
    source.addEventListener("error", () => {
      state = source.readyState === EventSource.CLOSED ? "over" : "lost";
      tell();
    });
    source.addEventListener("over", () => {
      source.close();
      state = "over";
      tell();
    });
    list.scrollTop = list.scrollHeight;
    tell();
    return source;
  };

  const look = () => {
    for (const [section, source] of open)
      if (!section.isConnected) {
        source.close();
        open.delete(section);
      }
    for (const section of document.querySelectorAll('[data-follow="yes"]'))
      if (!open.has(section)) open.set(section, follow(section));
  };
  look();
  document.addEventListener("htmx:after:swap", look);
})();
