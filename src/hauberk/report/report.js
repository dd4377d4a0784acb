"use strict";
(() => {
  const root = document.documentElement;
  for (const button of document.querySelectorAll("[data-set-lang]")) {
    button.addEventListener("click", () => {
      root.dataset.lang = button.dataset.setLang;
      root.lang = button.dataset.setLang === "zh" ? "zh-CN" : "en";
      for (const other of document.querySelectorAll("[data-set-lang]")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
    });
  }
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
