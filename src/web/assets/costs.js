/** Draws the days of the table below as bars that stand upon each other. Without it, and for readers, the table is there. */
(() => {
  const height = 260;
  /** Told apart in both themes, and by people who see few colours. */
  const light = [
    "#0b5d4a",
    "#c77700",
    "#3b5bb5",
    "#a1261b",
    "#6f5aa8",
    "#4f7f1e",
    "#8a5a3c",
    "#477b8d",
    "#777777",
  ];
  const dark = [
    "#7fcfb6",
    "#f0bf6c",
    "#9db4ff",
    "#ff9d90",
    "#c9b6f7",
    "#b4dd84",
    "#dcb093",
    "#9ad3e6",
    "#bbbbbb",
  ];
  let drawn;
  const colour = (place, name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    place.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
  const isDark = (place) => {
    const [r, g, b] = (colour(place, "--ground").match(/[\d.]+/gu) ?? [255, 255, 255]).map(Number);
    return r + g + b < 384;
  };

  const draw = () => {
    const place = document.querySelector("#chart");
    if (place === null || typeof uPlot === "undefined") return;
    const read = (name) => JSON.parse(place.dataset[name]);
    const [days, names, sums, caps] = ["days", "names", "sums", "caps"].map(read);
    if (days.length === 0 || names.length === 0) return;
    drawn?.destroy();
    const colours = isDark(place) ? dark : light;
    const soft = colour(place, "--soft");
    const line = colour(place, "--line");
    // Each series reaches from zero to the top of what lies below it and itself; the tallest is painted first.
    const tops = sums.map((_, index) =>
      days.map((_day, day) => sums.slice(0, index + 1).reduce((sum, part) => sum + part[day], 0)),
    );
    const order = names.map((_, index) => index).toReversed();
    const dollars = (value) => (value === null || value === undefined ? "" : `$${value.toFixed(2)}`);
    const highest = Math.max(0, ...(tops.at(-1) ?? []));
    const shownCaps = caps.filter((cap) => cap <= highest * 2);
    const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    drawn = new uPlot(
      {
        width: place.clientWidth,
        height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC"),
        scales: { y: { range: () => [0, Math.max(0.01, highest, ...shownCaps) * 1.08] } },
        axes: [axis, { ...axis, size: 64, values: (_plot, ticks) => ticks.map(dollars) }],
        series: [
          {
            label: "Day",
            value: (_plot, at) => (at === null ? "" : new Date(at * 1_000).toISOString().slice(0, 10)),
          },
          ...order.map((index) => ({
            label: names[index],
            stroke: colours[index % colours.length],
            fill: colours[index % colours.length],
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars({ size: [0.7, 60] }),
            value: (_plot, _top, _series, day) => (day === null ? "" : dollars(sums[index][day])),
          })),
        ],
        hooks: {
          draw: [
            (plot) => {
              const { ctx, bbox } = plot;
              ctx.save();
              ctx.font = "12px system-ui, sans-serif";
              ctx.setLineDash([6, 4]);
              for (const cap of shownCaps) {
                const y = Math.round(plot.valToPos(cap, "y", true));
                ctx.strokeStyle = colour(place, cap === caps.at(-1) ? "--bad" : "--now");
                ctx.fillStyle = ctx.strokeStyle;
                ctx.beginPath();
                ctx.moveTo(bbox.left, y);
                ctx.lineTo(bbox.left + bbox.width, y);
                ctx.stroke();
                ctx.fillText(`${cap === caps.at(-1) ? "stop" : "warn"} $${cap}`, bbox.left + 4, y - 4);
              }
              ctx.restore();
            },
          ],
        },
      },
      [days, ...order.map((index) => tops[index])],
      place,
    );
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", "Dollars of each day; the table below says the same");
  };

  draw();
  addEventListener("resize", () =>
    drawn?.setSize({ width: document.querySelector("#chart").clientWidth, height }),
  );
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributes: true });
})();
