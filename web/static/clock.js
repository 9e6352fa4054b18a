// Lets clocks of what still runs go on between two events. Starts anew from whatever number the server last wrote.
"use strict";
(() => {
  const bases = new WeakMap();
  const words = (seconds) => {
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds), hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const two = (number) => String(number).padStart(2, "0");
    if (hours) return `${hours} h ${two(minutes)} min`;
    return minutes ? `${minutes} min ${two(whole % 60)} s` : `${whole} s`;
  };
  setInterval(() => {
    for (const clock of document.querySelectorAll("[data-clock]")) {
      const written = Number(clock.dataset.seconds);
      let base = bases.get(clock);
      if (!base || base.written !== written) bases.set(clock, (base = { written, at: performance.now() }));
      const passed = (performance.now() - base.at) / 1000;
      clock.textContent = words(Math.max(0, clock.dataset.clock === "up" ? written + passed : written - passed));
    }
  }, 500);
})();
