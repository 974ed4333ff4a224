// What the test asks of the page; each function returns what is wrong.
const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
const named = (e) => `${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? ""} "${(e.textContent ?? "").trim().slice(0, 40)}"`;

// wider: the page scrolls sideways, or something stands beyond its edge that is in no container that scrolls.
globalThis.wider = () => {
  const wrong = [];
  const root = document.documentElement;
  const width = root.clientWidth; // innerWidth grows with what is too wide
  if (root.scrollWidth > width) wrong.push(`the page is ${root.scrollWidth} wide of ${width}`);
  for (const e of document.querySelectorAll("body *")) {
    if (!seen(e) || e.closest(".scroll > *") || e.closest("svg, caption, .tip, .labels button > *")) continue; // labels are cut at their edge
    const box = e.getBoundingClientRect();
    if (box.right > width + 1 || box.left < -1) wrong.push(`${named(e)} from ${box.left} to ${box.right}`);
  }
  return wrong;
};

// overlapping: labels of lines that cover one another.
globalThis.overlapping = () => {
  const wrong = [];
  for (const labels of document.querySelectorAll(".view:not([hidden]) .labels")) {
    const boxes = [...labels.children].map((e) => [e.getBoundingClientRect(), e]).sort((a, b) => a[0].top - b[0].top);
    for (let i = 1; i < boxes.length; i++) {
      if (boxes[i][0].top < boxes[i - 1][0].bottom - 1.5) wrong.push(`${named(boxes[i - 1][1])} over ${named(boxes[i][1])}`);
    }
  }
  return wrong;
};

globalThis.rgb = (text) => text.match(/[\d.]+/g).map(Number);
globalThis.luminance = ([r, g, b]) => {
  const part = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};

// faint: text with less contrast than WCAG's 4.5 to 1, lines with less than 3 to 1.
globalThis.faint = () => {
  const wrong = new Set();
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = rgb(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const check = (e, color, least) => {
    const [a, b] = [luminance(rgb(color)), luminance(behind(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < least) wrong.add(`${named(e)}: ${contrast.toFixed(2)}`);
  };
  for (const e of document.querySelectorAll("body *")) {
    if (!seen(e)) continue;
    if (e.matches("path.curve")) check(e.closest("div"), getComputedStyle(e).stroke, 3);
    if ([...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) check(e, getComputedStyle(e).color, 4.5);
  }
  return [...wrong].slice(0, 10);
};

// withoutTable: a view of a chart that has no table, or one with other lines.
globalThis.withoutTable = () => {
  const wrong = [];
  for (const view of document.querySelectorAll("figure.plot .view")) {
    const rows = [...view.querySelectorAll("details table tbody th")].map((e) => e.textContent);
    const lines = [...view.querySelectorAll(".labels button")].map((e) => e.firstChild.textContent.trim());
    if (!rows.length) wrong.push(`${view.dataset.view}: no table`);
    for (const line of lines) if (!rows.includes(line)) wrong.push(`${line} is not in the table`);
    if (!view.querySelector("svg[role=img][aria-label]")) wrong.push(`${view.dataset.view}: no text for the drawing`);
  }
  return wrong;
};

// lines: each view of each chart must have curves of some length, also those not seen now.
globalThis.lines = () => {
  const wrong = [];
  for (const view of document.querySelectorAll("figure.plot .view")) {
    const curves = [...view.querySelectorAll("path.curve")];
    const name = `${view.closest("section")?.id} ${view.dataset.view}`;
    if (!curves.length) wrong.push(`${name}: nothing drawn`);
    for (const c of curves) {
      const several = c.getAttribute("d").includes("L");
      if (several && !(c.getTotalLength() > 1)) wrong.push(`${name}: an empty line`);
      if (/NaN|Inf|e-/.test(c.getAttribute("d"))) wrong.push(`${name}: ${c.getAttribute("d")}`);
    }
  }
  return wrong;
};

// charts: where each chart is on the page.
globalThis.charts = () => [...document.querySelectorAll("figure.plot .view:not([hidden]) .frame, figure.ratios .group")].map((e) => {
  const box = e.getBoundingClientRect();
  const section = e.closest("section").id;
  return { chart: section, clip: { x: box.left, y: box.top + scrollY, width: box.width, height: Math.min(box.height, 900), scale: 1 } };
}).filter((c, i, all) => all.findIndex((d) => d.chart === c.chart) === i);

// interact: views change, lines are picked, points tell their figures.
globalThis.interact = () => {
  const wrong = [];
  const expect = (holds, what) => { if (!holds) wrong.push(what); };
  for (const figure of document.querySelectorAll("figure.plot")) {
    const id = figure.closest("section").id;
    const before = figure.querySelector(".view:not([hidden])");
    const choices = [...figure.querySelectorAll("fieldset")].at(-1)?.querySelectorAll("input");
    expect(choices?.length > 1, `${id}: no choice`);
    choices?.[1].click();
    const after = figure.querySelector(".view:not([hidden])");
    expect(after !== before && figure.querySelectorAll(".view:not([hidden])").length === 1, `${id}: the view does not change`);
    choices?.[0].click();
    expect(figure.querySelector(".view:not([hidden])") === before, `${id}: the view does not come back`);

    const frame = before.querySelector(".frame");
    const label = frame.querySelector(".labels button");
    label.click();
    expect(frame.classList.contains("picked") && label.getAttribute("aria-pressed") === "true", `${id}: no line is picked`);
    label.click();
    label.dispatchEvent(new PointerEvent("pointerleave"));
    expect(!frame.classList.contains("picked"), `${id}: the line stays picked`);

    const point = frame.querySelector(".points i");
    const box = point.getBoundingClientRect();
    frame.querySelector(".area").dispatchEvent(new PointerEvent("pointermove", { clientX: box.x + 3, clientY: box.y + 3, bubbles: true }));
    const tip = frame.querySelector(".tip");
    expect(!tip.hidden && tip.textContent.length > 5, `${id}: a point tells nothing`);
    const at = tip.getBoundingClientRect();
    expect(at.left >= -1 && at.right <= innerWidth + 1, `${id}: what a point tells is beyond the edge`);
    frame.querySelector(".area").dispatchEvent(new PointerEvent("pointerleave"));
    expect(tip.hidden, `${id}: it does not stop telling`);
  }
  const ratios = document.querySelector("figure.ratios");
  const count = () => [...ratios.querySelectorAll(".line:not(.head)")].filter(seen).length;
  const all = count();
  ratios.querySelector("input[value=missed]").click();
  expect(count() > 0 && count() < all, "ratios: not only those that missed their goal");
  ratios.querySelector("input[value=all]").click();
  expect(count() === all, "ratios: some are gone");
  return wrong;
};

globalThis.paper = () => {
  const wrong = [];
  const color = rgb(getComputedStyle(document.body).color);
  if (luminance(color) > 0.2) wrong.push(`the text is light: ${color}`);
  for (const e of document.querySelectorAll("nav, .choice")) if (seen(e)) wrong.push(`${named(e)} is printed`);
  for (const e of document.querySelectorAll(".view:not([hidden]) details table")) if (!seen(e)) wrong.push("a chart's table is not printed");
  return [...new Set(wrong)];
};
