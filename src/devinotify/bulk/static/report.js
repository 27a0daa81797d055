"use strict";
// Draws the curve in the colours of the page, anew where they or its width change; what is printed is light and unfolded.
(() => {
  const place = document.getElementById("curve");
  const data = JSON.parse(document.getElementById("curve-data").textContent);
  const minute = 60, hour = 60 * minute, day = 24 * hour;
  const steps = [
    1, 2, 5, 10, 15, 30, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
    hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 30 * day, 90 * day, 365 * day,
  ];
  const counts = [...Array(10).keys()].flatMap((power) => [1, 2, 5].map((one) => one * 10 ** power));
  // The times are those of the report's zone, as if it were UTC.
  const written = (options) => {
    const format = new Intl.DateTimeFormat(data.lang === "en" ? "en-GB" : data.lang, { timeZone: "UTC", ...options });
    return (at) => format.format(new Date(at * 1000));
  };
  const clock = written({ hour: "2-digit", minute: "2-digit" });
  const exact = written({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const date = written({ day: "numeric", month: "short" });
  const year = written({ year: "numeric" });
  const number = new Intl.NumberFormat(data.lang);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const looks = { sent: { line: "open", dash: [6, 4] }, delivered: { line: "good", fill: "good-soft" } };
  let chart = null;

  const ticks = (_, splits, __, ___, step) => splits.map((at, index) => {
    if (step >= day) return index === 0 ? `${date(at)}\n${year(at)}` : date(at);
    const shown = (step < minute ? exact : clock)(at);
    return index === 0 || date(at) !== date(splits[index - 1]) ? `${shown}\n${date(at)}` : shown;
  });

  const draw = (width) => {
    if (chart) chart.destroy();
    const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    chart = new uPlot({
      width,
      padding: [6, 34, 0, 0],
      height: width < 500 ? 240 : 300,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(most, 1) * 1.05] } },
      axes: [
        { ...axis, incrs: steps, values: ticks, space: 80, size: 44 },
        {
          ...axis,
          incrs: counts,
          values: (_, splits) => splits.map((count) => number.format(count)),
          size: (_, values) => 18 + 7 * Math.max(1, ...(values || []).map((value) => value.length)),
        },
      ],
      series: [
        { label: data.time, value: (_, at) => (at === null ? "–" : `${date(at)}, ${exact(at)}`) },
        ...data.lines.map((line) => ({
          label: line.name,
          stroke: colour(looks[line.kind].line),
          fill: looks[line.kind].fill && colour(looks[line.kind].fill),
          dash: looks[line.kind].dash,
          width: 2,
          points: { show: false },
          value: (_, count) => (count === null ? "–" : number.format(count)),
        })),
      ],
    }, [data.times, ...data.lines.map((line) => line.until)], place);
  };

  const root = document.documentElement;
  const fit = () => draw(place.clientWidth);
  let drawn = 0;
  new ResizeObserver(() => {
    if (place.clientWidth !== drawn) { drawn = place.clientWidth; fit(); }
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", fit);
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true;
    root.dataset.theme = "light";
    draw(Math.min(place.clientWidth, 640));
  });
  addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
    delete root.dataset.theme;
    fit();
  });
})();
