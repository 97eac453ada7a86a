"use strict";
/* Nothing here is needed: every page is whole without it. It only keeps a page that asks for it fresh. */
(() => {
  const region = document.querySelector("[data-refresh-s]");
  if (!region) { return; }
  const period = Math.max(5, Number(region.dataset.refreshS) || 15) * 1000;
  let failures = 0;
  const refresh = async () => {
    if (document.hidden || region.contains(document.activeElement) && document.activeElement.tagName !== "A") { return schedule(); }
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (!answer.ok) { throw new Error(String(answer.status)); }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-refresh-s]");
      const focused = document.activeElement && region.contains(document.activeElement)
        ? document.activeElement.getAttribute("href") : null;
      const open = [...region.querySelectorAll("details[open][id]")].map((each) => each.id);
      if (fresh) {
        region.replaceChildren(...fresh.childNodes);
        open.forEach((id) => { const each = document.getElementById(id); if (each) { each.open = true; } });
        if (focused) { const again = region.querySelector(`a[href="${CSS.escape(focused)}"]`); if (again) { again.focus({ preventScroll: true }); } }
      }
      failures = 0;
    } catch { failures = Math.min(failures + 1, 6); }
    schedule();
  };
  let timer = 0;
  const schedule = () => { clearTimeout(timer); timer = setTimeout(refresh, period * 2 ** failures); };
  schedule();
  /* The server says when something new is on record: then look at once, at most every three seconds. */
  if (region.dataset.live !== undefined && "EventSource" in window) {
    let last = null;
    let at = 0;
    const source = new EventSource("/live/events");
    source.addEventListener("entry", (event) => {
      const fresh = last !== null && event.data !== last;
      last = event.data;
      if (fresh && Date.now() - at > 3000) { at = Date.now(); clearTimeout(timer); refresh(); }
    });
    addEventListener("pagehide", () => source.close());
  }
})();

/* A chart can be made interactive: the same specification, drawn in the browser by the same engine, from this server. */
(() => {
  let engine = null;
  const load = () => {
    engine = engine || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = "/charts/engine.js";
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return engine;
  };
  const show = async (figure, button) => {
    button.disabled = true;
    try {
      await load();
      const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      const size = matchMedia("(max-width: 640px)").matches ? "narrow" : "wide";
      const spec = await (await fetch(`${figure.dataset.spec}&theme=${theme}&size=${size}`)).json();
      const place = document.createElement("div");
      place.className = "drawn";
      spec.width = "container";
      spec.autosize = { type: spec.height.step ? "fit-x" : "fit", contains: "padding" };
      figure.querySelector("picture").replaceWith(place);
      await window.meterproofEmbed(place, spec, {
        ast: true, actions: false, defaultStyle: false, logLevel: 1, renderer: "canvas", tooltip: { disableDefaultStyle: true, theme },
      });
      button.remove();
    } catch { button.disabled = false; }
  };
  for (const figure of document.querySelectorAll("figure.chart[data-spec]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "no-print";
    button.textContent = figure.dataset.label;
    button.addEventListener("click", () => show(figure, button));
    figure.append(button);
  }
})();

/* On a phone the menu is a strip: bring the current page's name into view. */
(() => {
  const current = document.querySelector(".menu a[aria-current]");
  const strip = current && current.closest(".menu");
  if (strip && strip.scrollWidth > strip.clientWidth) { strip.scrollLeft = current.offsetLeft - strip.clientWidth / 3; }
})();
