// Tabs as the WAI-ARIA practices describe them: arrows move, Home and End jump, one panel is shown. Without script all
// panels are shown one below the other, as on paper.
"use strict";
(() => {
  document.documentElement.classList.add("scripted");
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  const show = (chosen, focus) => {
    for (const tab of tabs) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      panelOf(tab).classList.toggle("on", on);
    }
    if (focus) chosen.focus();
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => show(tab, false));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      show(tabs[(to + tabs.length) % tabs.length], true);
    });
  });
  const asked = tabs.find((tab) => "#" + tab.getAttribute("aria-controls") === location.hash);
  if (asked) show(asked, false);
})();
