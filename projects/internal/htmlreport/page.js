"use strict";
(() => {
  document.documentElement.classList.add("js");

  // The view whose key has the chosen answers is shown, the others are not.
  for (const figure of document.querySelectorAll("figure.plot")) {
    const choose = () => {
      const key = [...figure.querySelectorAll("input:checked, input[type=hidden]")].map((i) => i.value).join("-");
      const views = [...figure.querySelectorAll(".view")];
      figure.querySelector(".none").hidden = views.some((v) => v.dataset.view === key);
      const open = figure.querySelector(".view:not([hidden]) details")?.open;
      for (const view of views) {
        view.hidden = view.dataset.view !== key;
        if (!view.hidden && open !== undefined) view.querySelector("details").open = open;
      }
    };
    figure.addEventListener("change", choose);
    choose();
  }

  // A line is picked out by its label, or by what is nearest to the pointer.
  for (const view of document.querySelectorAll(".view")) {
    const frame = view.querySelector(".frame");
    const area = frame.querySelector(".area");
    const tip = frame.querySelector(".tip");
    let pinned = null;
    const pick = (number) => {
      frame.classList.toggle("picked", number !== null);
      for (const e of frame.querySelectorAll("[data-s]")) e.classList.toggle("on", e.dataset.s === number);
    };
    const show = (point) => {
      tip.hidden = !point;
      if (!point) return;
      tip.textContent = point.dataset.tip;
      tip.style.top = point.style.top;
      const half = tip.offsetWidth / 2;
      const x = (parseFloat(point.style.left) / 100) * area.clientWidth;
      const left = Math.max(half - area.offsetLeft, Math.min(x, frame.clientWidth - area.offsetLeft - half));
      tip.style.left = left + "px";
    };
    for (const button of frame.querySelectorAll("button[data-s]")) {
      const number = button.dataset.s;
      button.addEventListener("pointerenter", () => pick(number));
      button.addEventListener("pointerleave", () => pick(pinned));
      button.addEventListener("focus", () => pick(number));
      button.addEventListener("blur", () => pick(pinned));
      button.addEventListener("click", () => {
        pinned = pinned === number ? null : number;
        for (const b of frame.querySelectorAll("button[data-s]")) b.setAttribute("aria-pressed", String(b.dataset.s === pinned));
        pick(pinned);
      });
    }
    const near = (event) => {
      const box = area.getBoundingClientRect();
      let best = null;
      let least = 40 * 40;
      for (const point of area.querySelectorAll(pinned === null ? ".points i" : `.points[data-s="${pinned}"] i`)) {
        const x = box.left + (parseFloat(point.style.left) / 100) * box.width - event.clientX;
        const y = box.top + (parseFloat(point.style.top) / 100) * box.height - event.clientY;
        if (x * x + y * y < least) [best, least] = [point, x * x + y * y];
      }
      show(best);
      pick(best ? best.parentElement.dataset.s : pinned);
    };
    area.addEventListener("pointermove", near);
    area.addEventListener("pointerdown", near);
    area.addEventListener("pointerleave", () => { show(null); pick(pinned); });
  }

  const ratios = document.querySelector("figure.ratios");
  if (ratios) {
    ratios.addEventListener("change", (event) => ratios.classList.toggle("only-missed", event.target.value === "missed"));
    const tip = ratios.querySelector(".tip");
    const near = (event) => {
      const marks = event.target.closest?.(".track:not(.axis)")?.querySelectorAll(".m") ?? [];
      let best = null;
      let least = 24;
      for (const m of marks) {
        const box = m.getBoundingClientRect();
        const d = Math.abs(box.left + box.width / 2 - event.clientX);
        if (d < least) [best, least] = [m, d];
      }
      tip.hidden = !best;
      if (!best) return;
      tip.textContent = best.dataset.tip;
      const home = ratios.getBoundingClientRect();
      const box = best.getBoundingClientRect();
      const half = tip.offsetWidth / 2;
      tip.style.left = Math.max(half, Math.min(box.left + box.width / 2 - home.left, home.width - half)) + "px";
      tip.style.top = box.top - home.top + "px";
    };
    ratios.addEventListener("pointermove", near);
    ratios.addEventListener("pointerdown", near);
    ratios.addEventListener("pointerleave", () => { tip.hidden = true; });
  }

  // Paper has no summary to click on.
  const closed = [];
  addEventListener("beforeprint", () => {
    for (const d of document.querySelectorAll("details:not([open])")) { closed.push(d); d.open = true; }
  });
  addEventListener("afterprint", () => { for (const d of closed.splice(0)) d.open = false; });
})();
